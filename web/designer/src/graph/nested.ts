/** A workflow that is a stage of another one, opened to be looked at and changed. */
import { findStage, updateStage, type Path, type WorkflowDocument } from './document';

/** The document behind a way of opened stages; undefined where a step is no workflow of its own. */
export function innerDocument(root: WorkflowDocument, way: Path[]): WorkflowDocument | undefined {
  let document: WorkflowDocument | undefined = root;
  for (const path of way) {
    const workflow: string | WorkflowDocument | undefined = document && findStage(document, path)?.workflow;
    document = typeof workflow === 'object' ? workflow : undefined;
  }
  return document;
}

export function withInner(root: WorkflowDocument, way: Path[], inner: WorkflowDocument): WorkflowDocument {
  const [first, ...rest] = way;
  if (first === undefined) return inner;
  return updateStage(root, first, (stage) => ({
    ...stage,
    workflow: withInner(stage.workflow as WorkflowDocument, rest, inner),
  }));
}

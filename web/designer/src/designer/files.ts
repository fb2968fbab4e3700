import type { WorkflowDocument } from '../graph/document';
import { notify, replaceDocument, useEditor } from './store';

/** Hands the document to the browser as a file that the command line reads. */
export function exportFile(): void {
  const { history, name } = useEditor.getState();
  const link = window.document.createElement('a');
  link.href = URL.createObjectURL(
    new Blob([`${JSON.stringify(history.present, null, 2)}\n`], { type: 'application/json' }),
  );
  link.download = `${name}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

export async function importFile(): Promise<void> {
  const file = await chooseFile();
  if (!file) return;
  const read = readWorkflow(await file.text());
  if (typeof read === 'string') notify(`${file.name}: ${read}`);
  else {
    replaceDocument(read);
    notify(`${file.name} stands in place of the draft; undo brings it back`);
  }
}

export function chooseFile(): Promise<File | undefined> {
  return new Promise((resolve) => {
    const input = window.document.createElement('input');
    input.type = 'file';
    input.accept = '.json,application/json';
    input.onchange = () => resolve(input.files?.[0]);
    input.oncancel = () => resolve(undefined);
    input.click();
  });
}

/** The workflow in a text, or what is wrong with it. */
export function readWorkflow(text: string): WorkflowDocument | string {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : 'no JSON';
  }
  if (read === null || typeof read !== 'object' || Array.isArray(read))
    return 'a workflow is expected, with a name and stages';
  const { stages } = read as Partial<WorkflowDocument>;
  if (!Array.isArray(stages)) return "'stages' is missing: a workflow is expected";
  const wrong = stages.findIndex((stage) => typeof stage?.id !== 'string');
  return wrong < 0 ? (read as WorkflowDocument) : `stages[${wrong}] has no id`;
}

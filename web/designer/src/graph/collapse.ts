/** Groups that are drawn as one box. It is a matter of the picture, kept beside the places of the stages. */
import { isGroup, isWithin, parentOf, walk, type Path, type WorkflowDocument } from './document';
import type { Endpoint } from './connect';

export const isCollapsed = (document: WorkflowDocument, path: Path): boolean =>
  document.layout?.[path]?.collapsed === true;

export function setCollapsed(document: WorkflowDocument, path: Path, collapsed: boolean): WorkflowDocument {
  const { collapsed: _, ...place } = document.layout?.[path] ?? { x: 0, y: 0 };
  return { ...document, layout: { ...document.layout, [path]: collapsed ? { ...place, collapsed } : place } };
}

/** The outermost collapsed group around a stage; undefined where the stage is seen. */
export function hiddenBy(document: WorkflowDocument, path: Path): Path | undefined {
  let found: Path | undefined;
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) if (isCollapsed(document, at)) found = at;
  return found;
}

/** The port of a collapsed group for what goes past its own ports. */
export const insidePort = '…';

/** Where an edge is seen to end: at the stage, or at the collapsed group around it. */
export function seenEnd(document: WorkflowDocument, end: Endpoint): Endpoint {
  const around = hiddenBy(document, end.stage);
  if (around !== undefined) return { stage: around, port: insidePort };
  return end.inner && isCollapsed(document, end.stage) ? { stage: end.stage, port: insidePort } : end;
}

export const collapsible = (document: WorkflowDocument): Path[] =>
  walk(document).flatMap(({ path, stage }) => (isGroup(stage) ? [path] : []));

/** Opens every group around a stage, so that it is seen. */
export function uncover(document: WorkflowDocument, path: Path): WorkflowDocument {
  return collapsible(document)
    .filter((group) => group !== path && isWithin(path, group) && isCollapsed(document, group))
    .reduce((now, group) => setCollapsed(now, group, false), document);
}

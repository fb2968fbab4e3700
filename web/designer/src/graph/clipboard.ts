/** Copying stages with their connections, within a document and between documents. */
import {
  findStage,
  idOf,
  isWithin,
  join,
  parentOf,
  stagesIn,
  uniqueName,
  updateStages,
  type Path,
  type Position,
  type Stage,
  type WorkflowDocument,
} from './document';
import { moveStages, outermost } from './edit';
import { groupInputs, mapReferences, resolve } from './references';

/** What lies on the clipboard, as text. */
interface Clip {
  pipelines: 'stages';
  stages: Stage[];
  layout: Record<Path, Position>;
}

/** Copies stages of one scope; of stages in several scopes those of the first one's. */
export function copyStages(document: WorkflowDocument, paths: Iterable<Path>): Clip {
  const chosen = outermost(paths);
  const scope = parentOf(chosen[0] ?? '');
  const ids = new Set(chosen.filter((path) => parentOf(path) === scope).map(idOf));
  const prefix = scope === '' ? '' : `${scope}/`;
  const layout = Object.entries(document.layout ?? {})
    .filter(([path]) => [...ids].some((id) => isWithin(path, join(scope, id))))
    .map(([path, position]) => [path.slice(prefix.length), position]);
  return {
    pipelines: 'stages',
    stages: stagesIn(document, scope).filter((stage) => ids.has(stage.id)),
    layout: Object.fromEntries(layout),
  };
}

export function parseClip(text: string): Clip | undefined {
  try {
    const clip: unknown = JSON.parse(text);
    if (clip === null || typeof clip !== 'object' || !('pipelines' in clip) || clip.pipelines !== 'stages')
      return undefined;
    const { stages, layout } = clip as Partial<Clip>;
    const sound = Array.isArray(stages) && stages.every((stage) => typeof stage?.id === 'string');
    return sound ? { pipelines: 'stages', stages, layout: layout ?? {} } : undefined;
  } catch {
    return undefined;
  }
}

interface Pasted {
  document: WorkflowDocument;
  paths: Path[];
}

/**
 * Puts copies into a scope under ids of their own. Edges among them follow; an edge from outside stays where a stage of
 * that name can be seen, and is left out where none can.
 */
export function pasteStages(document: WorkflowDocument, scope: Path, clip: Clip, shift: Position): Pasted {
  const taken = new Set(stagesIn(document, scope).map((stage) => stage.id));
  const names = new Map<string, string>();
  for (const stage of clip.stages) {
    const id = uniqueName(stage.id, taken);
    taken.add(id);
    names.set(stage.id, id);
  }

  const within: WorkflowDocument = { name: '', stages: clip.stages };
  const renamed = mapReferences(within, (name, at) => {
    const inside = resolve(within, at, name.stage);
    if (inside !== undefined) return parentOf(inside) === '' ? [{ ...name, stage: names.get(name.stage)! }] : [name];
    if (name.stage === groupInputs) return at !== '' || hasInput(document, scope, name.port) ? [name] : [];
    return resolve(document, scope, name.stage) === undefined ? [] : [name];
  });
  const stages = renamed.stages.map((stage) => ({ ...structuredClone(stage), id: names.get(stage.id)! }));
  const layout = Object.fromEntries(
    Object.entries(clip.layout).map(([path, { x, y }]) => {
      const [first, ...rest] = path.split('/');
      const to = join(scope, [names.get(first!) ?? first!, ...rest].join('/'));
      return [to, rest.length === 0 ? { x: x + shift.x, y: y + shift.y } : { x, y }];
    }),
  );
  const added = updateStages(document, scope, (present) => [...present, ...stages]);
  return { document: moveStages(added, layout), paths: stages.map((stage) => join(scope, stage.id)) };
}

const hasInput = (document: WorkflowDocument, scope: Path, port: string): boolean =>
  port in ((scope === '' ? document.inputs : findStage(document, scope)?.inputs) ?? {});

export const duplicateStages = (document: WorkflowDocument, paths: Iterable<Path>): Pasted => {
  const chosen = outermost(paths);
  return pasteStages(document, parentOf(chosen[0] ?? ''), copyStages(document, chosen), { x: 40, y: 60 });
};

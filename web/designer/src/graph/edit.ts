/** Changes of a document: each takes one and answers with a new one. */
import {
  findStage,
  idOf,
  isIdentifier,
  isWithin,
  join,
  parentOf,
  stagesIn,
  uniqueName,
  updateStage,
  updateStages,
  withProperty,
  type Path,
  type Position,
  type Stage,
  type WorkflowDocument,
} from './document';
import { mapNames, mapReferences, mapTemplate, resolve } from './references';

interface Added {
  document: WorkflowDocument;
  path: Path;
}

/** Adds a stage; its id is made unique in its scope. */
export function addStage(document: WorkflowDocument, scope: Path, stage: Stage, at?: Position): Added {
  const id = uniqueName(
    stage.id,
    stagesIn(document, scope).map((other) => other.id),
  );
  const path = join(scope, id);
  const added = updateStages(document, scope, (stages) => [...stages, { ...stage, id }]);
  return { document: at ? moveStages(added, { [path]: at }) : added, path };
}

/** The id that a new stage of a kind gets: `prune.wanda` is called `wanda`, `model.load` `load`. */
export const idForKind = (kind: string): string => {
  const last = kind.slice(kind.lastIndexOf('.') + 1).replace(/[^A-Za-z0-9_-]/g, '-');
  return isIdentifier(last) ? last : 'stage';
};

/** Removes stages with all that refers to them; an expression keeps its words, and the check names it. */
export function removeStages(document: WorkflowDocument, paths: Iterable<Path>): WorkflowDocument {
  const gone = [...paths];
  const isGone = (path: Path) => gone.some((one) => isWithin(path, one));
  let changed = mapReferences(document, (name, scope) => {
    const path = resolve(document, scope, name.stage);
    return path !== undefined && isGone(path) && !isGone(scope) ? [] : [name];
  });
  for (const path of gone)
    changed = updateStages(changed, parentOf(path), (stages) => stages.filter((stage) => stage.id !== idOf(path)));
  return mapLayout(changed, (path) => (isGone(path) ? undefined : path));
}

/** Why a stage cannot be called so; undefined when it can. */
export function renameFault(document: WorkflowDocument, path: Path, id: string): string | undefined {
  if (!isIdentifier(id)) return "an id is a letter followed by letters, digits, '-' and '_', 64 at most";
  if (id === 'inputs') return "'inputs' means the inputs of the group";
  if (id !== idOf(path) && findStage(document, join(parentOf(path), id))) return `another stage is called '${id}'`;
  return undefined;
}

/** Renames a stage wherever it is spoken of: inputs, outputs, conditions, layout. */
export function renameStage(document: WorkflowDocument, path: Path, id: string): WorkflowDocument {
  if (id === idOf(path)) return document;
  const to = join(parentOf(path), id);
  const referred = mapReferences(document, (name, scope) =>
    resolve(document, scope, name.stage) === path ? [{ ...name, stage: id }] : [name],
  );
  const renamed = updateStage(referred, path, (stage) => ({ ...stage, id }));
  return mapLayout(renamed, (at) => (isWithin(at, path) ? to + at.slice(path.length) : at));
}

/** Renames a parameter of the workflow wherever it is used. */
export function renameParameter(document: WorkflowDocument, from: string, to: string): WorkflowDocument {
  const name = (parts: string[]) => (parts.length === 1 && parts[0] === from ? [to] : parts);
  const value = (json: unknown): unknown => {
    if (typeof json === 'string') return mapTemplate(json, name);
    if (Array.isArray(json)) return json.map(value);
    if (json !== null && typeof json === 'object')
      return Object.fromEntries(Object.entries(json).map(([key, member]) => [key, value(member)]));
    return json;
  };
  const stage = (one: Stage): Stage => {
    if (one.matrix && from in one.matrix.values) return one;
    const changed = { ...one };
    if (one.parameters) changed.parameters = value(one.parameters) as Stage['parameters'];
    if (one.matrix) changed.matrix = value(one.matrix) as Stage['matrix'];
    if (one.when !== undefined) changed.when = mapNames(one.when, name);
    if (one.repeat) {
      changed.repeat = value(one.repeat) as NonNullable<Stage['repeat']>;
      if (one.repeat.until !== undefined) changed.repeat.until = mapNames(one.repeat.until, name);
    }
    if (one.stages) changed.stages = one.stages.map(stage);
    return changed;
  };
  const parameters = Object.fromEntries(
    Object.entries(document.parameters ?? {}).map(([key, definition]) => [key === from ? to : key, definition]),
  );
  return { ...document, parameters, stages: document.stages.map(stage) };
}

/** Where stages are drawn; those inside of a group relative to it. */
export const moveStages = (document: WorkflowDocument, positions: Record<Path, Position>): WorkflowDocument =>
  Object.keys(positions).length === 0
    ? document
    : {
        ...document,
        layout: {
          ...document.layout,
          ...Object.fromEntries(
            Object.entries(positions).map(([path, { x, y }]) => [
              path,
              { ...document.layout?.[path], x: Math.round(x), y: Math.round(y) },
            ]),
          ),
        },
      };

export function mapLayout(document: WorkflowDocument, change: (path: Path) => Path | undefined): WorkflowDocument {
  if (!document.layout) return document;
  const entries = Object.entries(document.layout).flatMap(([path, position]) => {
    const to = change(path);
    return to === undefined ? [] : [[to, position] as const];
  });
  return withProperty(document, 'layout', entries.length > 0 ? Object.fromEntries(entries) : undefined);
}

/** Those of the paths that are not inside of another one of them. */
export const outermost = (paths: Iterable<Path>): Path[] => {
  const all = [...paths];
  return all.filter((path) => !all.some((other) => other !== path && isWithin(path, other)));
};

export const setStage = (document: WorkflowDocument, path: Path, property: string, value: unknown): WorkflowDocument =>
  updateStage(document, path, (stage) => withProperty(stage, property, value));

/** Sets one parameter of a stage; undefined takes it out, which means its default. */
export const setParameter = (document: WorkflowDocument, path: Path, name: string, value: unknown): WorkflowDocument =>
  updateStage(document, path, (stage) => {
    const parameters = withProperty(stage.parameters ?? {}, name, value);
    return withProperty(stage, 'parameters', Object.keys(parameters).length > 0 ? parameters : undefined);
  });

/** Moving stages into a group that is there, and out of one, every edge kept. */
import {
  findStage,
  idOf,
  isGroup,
  isWithin,
  join,
  parentOf,
  stagesIn,
  uniqueName,
  updateStages,
  type Path,
  type Position,
  type WorkflowDocument,
} from './document';
import { dependencies } from './connect';
import { mapLayout, moveStages } from './edit';
import { groupInputs, mapReferences, parseSource, resolve, sourcesOf, type OutputName } from './references';

export type Moved = { document: WorkflowDocument; path: Path } | { fault: string };

/** Puts a stage into a group beside it. What others take from it becomes an output of the group. */
export function moveInto(document: WorkflowDocument, path: Path, group: Path, at: Position): Moved {
  const stage = findStage(document, path);
  const target = findStage(document, group);
  if (!stage || !target || !isGroup(target)) return { fault: `'${group}' is no group` };
  if (parentOf(path) !== parentOf(group) || path === group)
    return { fault: 'the stage does not stand beside the group' };
  const id = uniqueName(stage.id, [...stagesIn(document, group).map((one) => one.id), groupInputs]);
  const outputs = { ...target.outputs };
  const outputFor = (port: string): string => {
    const source = `${id}.${port}`;
    const known = Object.entries(outputs).find(([, text]) => text === source);
    if (known) return known[0];
    const name = uniqueName(port in outputs ? `${id}-${port}` : port, Object.keys(outputs));
    outputs[name] = source;
    return name;
  };

  const inside = (name: OutputName): OutputName[] =>
    sourcesOf(target.outputs?.[name.port]).flatMap((text) => parseSource(text) ?? []);
  const own = mapReferences({ name: '', stages: [stage] }, (name, scope) => {
    if (scope !== '' && resolve({ name: '', stages: [stage] }, scope, name.stage) !== undefined) return [name];
    if (name.stage === target.id) return inside(name);
    return name.stage === stage.id ? [{ ...name, stage: id }] : [name];
  }).stages[0]!;
  const others = updateStages(document, parentOf(path), (stages) => stages.filter((one) => one.id !== stage.id));
  const rewritten = mapReferences(others, (name, scope) => {
    if (resolve(document, scope, name.stage) !== path) return [name];
    return isWithin(scope, group) ? [{ ...name, stage: id }] : [{ stage: target.id, port: outputFor(name.port) }];
  });
  const added = updateStages(rewritten, parentOf(group), (stages) =>
    stages.map((one) => {
      if (one.id !== target.id) return one;
      const changed = { ...one, stages: [...one.stages!, { ...own, id }] };
      return Object.keys(outputs).length > 0 ? { ...changed, outputs } : changed;
    }),
  );
  return settle(added, path, join(group, id), at);
}

/** Takes a stage out of the group around it. What it takes from inside becomes an output of the group. */
export function moveOut(document: WorkflowDocument, path: Path): Moved {
  const group = parentOf(path);
  const around = findStage(document, group);
  const stage = findStage(document, path);
  if (!stage || !around || group === '') return { fault: `'${idOf(path)}' is in no group` };
  const scope = parentOf(group);
  const id = uniqueName(stage.id, [...stagesIn(document, scope).map((one) => one.id), groupInputs]);
  const outputs: Record<string, string | string[]> = {};
  // An output of the group that is the stage's own is asked of the stage from now on.
  const freed = new Map<string, string>();
  for (const [name, source] of Object.entries(around.outputs ?? {})) {
    const from = typeof source === 'string' ? parseSource(source) : undefined;
    if (from?.stage === stage.id) freed.set(name, from.port);
    else outputs[name] = source;
  }
  const outputFor = (name: OutputName): OutputName => {
    const source = `${name.stage}.${name.port}`;
    const known = Object.entries(outputs).find(([, text]) => text === source)?.[0];
    const port = known ?? uniqueName(name.port, [...Object.keys(outputs), ...freed.keys()]);
    outputs[port] = source;
    return { stage: around.id, port };
  };

  const alone: WorkflowDocument = { name: '', stages: [stage] };
  const own = mapReferences(alone, (name, at) => {
    if (resolve(alone, at, name.stage) !== undefined) return at === '' ? [{ ...name, stage: id }] : [name];
    if (name.stage === groupInputs)
      return at === '' ? sourcesOf(around.inputs?.[name.port]).flatMap((text) => parseSource(text) ?? []) : [name];
    const found = resolve(document, group, name.stage);
    return found !== undefined && parentOf(found) === group ? [outputFor(name)] : [name];
  }).stages[0]!;
  const others = updateStages(document, group, (stages) => stages.filter((one) => one.id !== stage.id));
  const rewritten = mapReferences(others, (name, at) => {
    const found = resolve(document, at, name.stage);
    if (found === path) return at === group || isWithin(at, group) ? [{ ...name, stage: id }] : [name];
    const port = found === group ? freed.get(name.port) : undefined;
    return port === undefined ? [name] : [{ stage: id, port }];
  });
  const added = updateStages(rewritten, scope, (stages) => [
    ...stages.map((one) => {
      if (one.id !== around.id) return one;
      const { outputs: _, ...rest } = one;
      return Object.keys(outputs).length > 0 ? { ...rest, outputs } : rest;
    }),
    { ...own, id },
  ]);
  const corner = document.layout?.[group] ?? { x: 0, y: 0 };
  const at = document.layout?.[path] ?? { x: 0, y: 0 };
  return settle(added, path, join(scope, id), { x: corner.x + at.x, y: corner.y + at.y + 160 });
}

function settle(document: WorkflowDocument, from: Path, to: Path, at: Position): Moved {
  const laid = mapLayout(document, (path) => (isWithin(path, from) ? to + path.slice(from.length) : path));
  const circle = stageOnCircle(laid);
  return circle === undefined
    ? { document: moveStages(laid, { [to]: at }), path: to }
    : { fault: `'${idOf(circle)}' would wait for itself` };
}

/** A stage that, in the end, feeds itself; undefined where there is none. */
export function stageOnCircle(document: WorkflowDocument): Path | undefined {
  const fed = dependencies(document);
  const done = new Set<Path>();
  for (const start of fed.keys()) {
    const reached = new Set(fed.get(start));
    for (const at of reached) {
      if (at === start) return start;
      if (!done.has(at)) for (const next of fed.get(at) ?? []) reached.add(next);
    }
    done.add(start);
  }
  return undefined;
}

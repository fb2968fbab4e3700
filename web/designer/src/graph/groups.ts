/** Putting stages into a group and taking them out again, every edge kept. */
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
  type Source,
  type Stage,
  type WorkflowDocument,
} from './document';
import { lift, dependencies } from './connect';
import { mapLayout, moveStages, outermost } from './edit';
import { groupInputs, mapReferences, parseSource, resolve, sourcesOf, type OutputName } from './references';

export const groupPadding = { left: 100, top: 64 };

/** Why these stages cannot be a group; undefined when they can. */
export function groupFault(document: WorkflowDocument, paths: Iterable<Path>): string | undefined {
  const chosen = outermost(paths);
  if (chosen.length === 0) return 'no stage is chosen';
  const scope = parentOf(chosen[0]!);
  if (chosen.some((path) => parentOf(path) !== scope)) return 'the stages are in different groups';

  // A stage outside that is fed by the group and feeds it would wait for itself.
  const fed = dependencies(document);
  const outside = new Set(
    chosen.flatMap((path) => [...(fed.get(path) ?? [])]).filter((path) => !chosen.includes(path)),
  );
  for (const at of outside)
    for (const next of fed.get(at) ?? []) {
      if (chosen.includes(next)) return `'${idOf(at)}' stands between them: it is fed by the group and feeds it`;
      outside.add(next);
    }
  return undefined;
}

/** Makes a group of stages of one scope. What others take from them becomes an output of the group. */
export function groupStages(
  document: WorkflowDocument,
  paths: Iterable<Path>,
  wanted = 'group',
): { document: WorkflowDocument; path: Path } {
  const chosen = outermost(paths);
  const scope = parentOf(chosen[0]!);
  const ids = new Set(chosen.map(idOf));
  const id = uniqueName(wanted, [...stagesIn(document, scope).map((stage) => stage.id), groupInputs]);
  const path = join(scope, id);

  const outputs = new Map<string, string>();
  const outputFor = (name: OutputName): string => {
    const source = `${name.stage}.${name.port}`;
    if (!outputs.has(source)) {
      const taken = [...outputs.values()];
      outputs.set(source, taken.includes(name.port) ? uniqueName(`${name.stage}-${name.port}`, taken) : name.port);
    }
    return outputs.get(source)!;
  };
  const isMember = (at: Path) => chosen.includes(lift(at, scope) ?? '');

  // What is outside asks the group from now on. The scope of a reference of a member itself is the scope around it, so
  // the members are set aside while the others are rewritten.
  const members = stagesIn(document, scope).filter((stage) => ids.has(stage.id));
  const without = updateStages(document, scope, (stages) => stages.filter((stage) => !ids.has(stage.id)));
  const rewritten = mapReferences(without, (name, at) => {
    const found = resolve(document, at, name.stage);
    return found !== undefined && chosen.includes(found) ? [{ stage: id, port: outputFor(name) }] : [name];
  });

  const origin = chosen.map((one) => document.layout?.[one] ?? { x: 0, y: 0 });
  const corner = {
    x: Math.min(...origin.map((one) => one.x)) - groupPadding.left,
    y: Math.min(...origin.map((one) => one.y)) - groupPadding.top,
  };
  // `inputs.x` of a group around is not seen in the new one: it gets the same input.
  const inputs: Record<string, Source> = {};
  mapReferences({ name: '', stages: members }, (name, at) => {
    if (name.stage === groupInputs && at === '') inputs[name.port] = `${groupInputs}.${name.port}`;
    return [name];
  });
  const group: Stage = { id, stages: members };
  if (Object.keys(inputs).length > 0) group.inputs = inputs;
  if (outputs.size > 0) group.outputs = Object.fromEntries([...outputs].map(([source, name]) => [name, source]));

  const first = stagesIn(document, scope).findIndex((stage) => ids.has(stage.id));
  const added = updateStages(rewritten, scope, (stages) => [...stages.slice(0, first), group, ...stages.slice(first)]);
  const positioned = mapLayout({ ...added, layout: document.layout }, (at) =>
    isMember(at) ? join(path, scope === '' ? at : at.slice(scope.length + 1)) : at,
  );
  const inner = Object.fromEntries(
    chosen.map((one) => {
      const at = document.layout?.[one] ?? { x: 0, y: 0 };
      return [join(path, idOf(one)), { x: at.x - corner.x, y: at.y - corner.y }];
    }),
  );
  return { document: moveStages(positioned, { [path]: corner, ...inner }), path };
}

export function ungroupFault(document: WorkflowDocument, path: Path): string | undefined {
  const group = findStage(document, path);
  if (!group || !isGroup(group)) return `'${path}' is no group`;
  if (group.matrix) return `'${path}' runs once for each value of its matrix: remove the matrix first`;
  if (group.repeat) return `'${path}' is repeated: remove the repetition first`;
  return undefined;
}

/** Takes the stages out of a group. Its condition becomes theirs, its inputs and outputs what they stood for. */
export function ungroupStages(document: WorkflowDocument, path: Path): { document: WorkflowDocument; paths: Path[] } {
  const group = findStage(document, path)!;
  const scope = parentOf(path);
  const taken = stagesIn(document, scope)
    .map((stage) => stage.id)
    .filter((id) => id !== group.id);
  const names = new Map<string, string>();
  for (const stage of group.stages!) names.set(stage.id, uniqueName(stage.id, [...taken, ...names.values()]));
  const outer = (text: string): OutputName[] => {
    const name = parseSource(text);
    return name ? [name] : [];
  };

  const changed = mapReferences(document, (name, at) => {
    if (name.stage === groupInputs && at === path) return sourcesOf(group.inputs?.[name.port]).flatMap(outer);
    const found = resolve(document, at, name.stage);
    if (found === path)
      return sourcesOf(group.outputs?.[name.port])
        .flatMap(outer)
        .flatMap((inner) =>
          inner.stage === groupInputs
            ? sourcesOf(group.inputs?.[inner.port]).flatMap(outer)
            : [{ ...inner, stage: names.get(inner.stage) ?? inner.stage }],
        );
    return found !== undefined && parentOf(found) === path ? [{ ...name, stage: names.get(name.stage)! }] : [name];
  });

  const freed = findStage(changed, path)!.stages!.map((stage) => {
    const out: Stage = { ...stage, id: names.get(stage.id)! };
    if (group.when !== undefined) out.when = out.when === undefined ? group.when : `(${group.when}) and (${out.when})`;
    return out;
  });
  const opened = updateStages(changed, scope, (stages) =>
    stages.flatMap((stage) => (stage.id === group.id ? freed : [stage])),
  );
  const corner = document.layout?.[path] ?? { x: 0, y: 0 };
  const positions: Record<Path, { x: number; y: number }> = {};
  for (const stage of group.stages!) {
    const at = document.layout?.[join(path, stage.id)];
    if (at) positions[join(scope, names.get(stage.id)!)] = { x: at.x + corner.x, y: at.y + corner.y };
  }
  const positioned = mapLayout(opened, (at) => {
    if (at === path) return undefined;
    if (!isWithin(at, path)) return at;
    const [first, ...rest] = at.slice(path.length + 1).split('/');
    return join(scope, [names.get(first!) ?? first!, ...rest].join('/'));
  });
  return {
    document: moveStages(positioned, positions),
    paths: group.stages!.map((stage) => join(scope, names.get(stage.id)!)),
  };
}

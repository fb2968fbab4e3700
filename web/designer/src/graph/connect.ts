/** Edges: which are allowed and why not, making and removing them. */
import {
  findStage,
  idOf,
  isGroup,
  isWithin,
  parentOf,
  updateStage,
  walk,
  withMember,
  withProperty,
  type Catalog,
  type Path,
  type Port,
  type Source,
  type WorkflowDocument,
} from './document';
import { elementOf, isList, portsOf, typeOf, unknown } from './ports';
import { groupInputs, namesIn, parseSource, resolve, sourcesOf } from './references';

/**
 * A port of a stage. `inner` is the side of a group that its own stages see: one of its inputs as a source, one of its
 * outputs as a target. The document itself is the stage ''.
 */
export interface Endpoint {
  stage: Path;
  port: string;
  inner?: boolean;
}

export type Refusal = 'self' | 'missing' | 'scope' | 'type' | 'list' | 'cycle' | 'occupied' | 'same';
export type Verdict = { ok: true } | { ok: false; code: Refusal; reason: string };

/** The port of a group's border that makes a new one. */
export const newPort = '+';

const no = (code: Refusal, reason: string): Verdict => ({ ok: false, code, reason });
const scopeOf = (end: Endpoint): Path => (end.inner ? end.stage : parentOf(end.stage));

export const sourceText = (from: Endpoint): string =>
  from.inner ? `${groupInputs}.${from.port}` : `${idOf(from.stage)}.${from.port}`;

export function outputPort(document: WorkflowDocument, catalog: Catalog, from: Endpoint): Port | undefined {
  if (!from.inner) return portsOf(document, from.stage, catalog).outputs.find((port) => port.name === from.port);
  const names = from.stage === '' ? document.inputs : findStage(document, from.stage)?.inputs;
  return names && from.port in names
    ? { name: from.port, type: typeOf(document, from.stage, sourceText(from), catalog), optional: false }
    : undefined;
}

export function inputPort(document: WorkflowDocument, catalog: Catalog, to: Endpoint): Port | undefined {
  const stage = findStage(document, to.stage);
  if (to.port === newPort)
    return stage && isGroup(stage) ? { name: newPort, type: unknown, optional: true } : undefined;
  if (!to.inner) return portsOf(document, to.stage, catalog).inputs.find((port) => port.name === to.port);
  const outputs = to.stage === '' ? document.outputs : stage?.outputs;
  return outputs && to.port in outputs ? { name: to.port, type: unknown, optional: false } : undefined;
}

function sourceAt(document: WorkflowDocument, to: Endpoint): Source | undefined {
  if (to.inner) return (to.stage === '' ? document.outputs : findStage(document, to.stage)?.outputs)?.[to.port];
  return findStage(document, to.stage)?.inputs?.[to.port];
}

export function canConnect(document: WorkflowDocument, catalog: Catalog, from: Endpoint, to: Endpoint): Verdict {
  const output = outputPort(document, catalog, from);
  const input = inputPort(document, catalog, to);
  if (!output) return no('missing', `'${from.stage}' has no output '${from.port}'`);
  if (!input) return no('missing', `'${to.stage}' has no input '${to.port}'`);
  if (from.stage === to.stage && Boolean(from.inner) === Boolean(to.inner))
    return no('self', 'a stage cannot feed itself');

  const where = scopeOf(to);
  if (from.inner ? where !== from.stage : !isWithin(where, scopeOf(from)))
    return no(
      'scope',
      from.inner
        ? `the inputs of '${from.stage}' are seen by its own stages only`
        : `'${idOf(from.stage)}' is inside of the group '${scopeOf(from)}': give the group an output`,
    );
  if (!from.inner && isWithin(to.stage, from.stage) && from.stage !== to.stage)
    return no('cycle', `'${idOf(to.stage)}' is inside of the group '${from.stage}', which waits for it`);
  if (!from.inner && resolve(document, where, idOf(from.stage)) !== from.stage)
    return no('scope', `another stage is called '${idOf(from.stage)}' there: rename one of them`);

  const mismatch = compare(output.type, input.type, input.name);
  if (mismatch) return mismatch;
  const held = sourcesOf(sourceAt(document, to));
  if (held.includes(sourceText(from))) return no('same', 'this connection is there already');
  const circle = cycleThrough(document, from, to);
  if (circle) return no('cycle', `the stages would feed each other in a circle: ${circle.map(idOf).join(' → ')}`);
  if (held.length > 0 && !isList(input.type))
    return no('occupied', `input '${to.port}' is fed by ${held.join(', ')}: it takes one`);
  return { ok: true };
}

function compare(output: string, input: string, name: string): Verdict | undefined {
  if (output === unknown || input === unknown || output === input) return undefined;
  if (isList(input) && elementOf(input) === output) return undefined;
  if (isList(output) && elementOf(output) === input)
    return no('list', `input '${name}' takes one ${input}, but the output is a list of them (${output})`);
  return no('type', `input '${name}' takes a ${input}, but the output is a ${output}`);
}

export const fits = (output: string, input: string): boolean => compare(output, input, '') === undefined;

/** Which stage waits for which, each pair among the stages of one scope: what is inside of a group counts as the group. */
export function dependencies(document: WorkflowDocument): ReadonlyMap<Path, ReadonlySet<Path>> {
  const known = counted.get(document) ?? countDependencies(document);
  counted.set(document, known);
  return known;
}

// Asked again for every port that a connection could end at.
const counted = new WeakMap<WorkflowDocument, Map<Path, Set<Path>>>();

function countDependencies(document: WorkflowDocument): Map<Path, Set<Path>> {
  const fed = new Map<Path, Set<Path>>();
  const note = (text: string, scope: Path, consumer: Path) => {
    const name = parseSource(text);
    const from = name && name.stage !== groupInputs ? resolve(document, scope, name.stage) : undefined;
    const to = from === undefined ? undefined : lift(consumer, parentOf(from));
    if (from === undefined || to === undefined || to === from) return;
    if (!fed.has(from)) fed.set(from, new Set());
    fed.get(from)!.add(to);
  };
  for (const { path, scope, stage } of walk(document)) {
    for (const source of Object.values(stage.inputs ?? {}))
      sourcesOf(source).forEach((text) => note(text, scope, path));
    for (const { parts } of namesIn(stage.when ?? ''))
      if (parts.length > 1) note(`${parts[0]}.${parts[1]}`, scope, path);
  }
  return fed;
}

/** The stage of a scope that is, or holds, the one at the path. */
export function lift(path: Path, scope: Path): Path | undefined {
  if (!isWithin(path, scope) || path === scope) return undefined;
  const rest = scope === '' ? path : path.slice(scope.length + 1);
  return path.slice(0, path.length - rest.length) + rest.split('/')[0]!;
}

function cycleThrough(document: WorkflowDocument, from: Endpoint, to: Endpoint): Path[] | undefined {
  const start = from.inner || to.stage === '' ? undefined : lift(to.stage, parentOf(from.stage));
  if (start === undefined) return undefined;
  const fed = dependencies(document);
  const cameFrom = new Map<Path, Path | undefined>([[start, undefined]]);
  for (const at of cameFrom.keys()) {
    if (at === from.stage) {
      const circle: Path[] = [];
      for (let step: Path | undefined = at; step !== undefined; step = cameFrom.get(step)) circle.unshift(step);
      return [...circle, start];
    }
    for (const next of fed.get(at) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, at);
  }
  return undefined;
}

/** Every stage that comes after, or before, the one given, itself included; among the stages of its scope. */
export function reach(document: WorkflowDocument, path: Path, direction: 'after' | 'before'): Set<Path> {
  const fed = dependencies(document);
  const reached = new Set([path]);
  for (const at of reached) {
    const next = direction === 'after' ? fed.get(at) : [...fed].filter(([, to]) => to.has(at)).map(([from]) => from);
    for (const one of next ?? []) reached.add(one);
  }
  return reached;
}

/** Puts the edge in, without asking whether it may be: replacing what is there, or after it. */
export function connect(
  document: WorkflowDocument,
  from: Endpoint,
  to: Endpoint,
  how: 'replace' | 'append' = 'append',
): WorkflowDocument {
  let port = to.port;
  if (port === newPort) {
    const stage = findStage(document, to.stage);
    const taken = Object.keys((to.inner ? stage?.outputs : stage?.inputs) ?? {});
    port = from.port;
    for (let number = 2; taken.includes(port); number++) port = `${from.port}${number}`;
  }
  const end = { ...to, port };
  const held = how === 'append' ? sourcesOf(sourceAt(document, end)) : [];
  const sources = [...held.filter((text) => text !== sourceText(from)), sourceText(from)];
  return writeSource(document, end, sources.length > 1 ? sources : sources[0]);
}

export function disconnect(document: WorkflowDocument, to: Endpoint, source?: string): WorkflowDocument {
  const left = source === undefined ? [] : sourcesOf(sourceAt(document, to)).filter((text) => text !== source);
  return writeSource(document, to, left.length > 1 ? left : left[0]);
}

function writeSource(document: WorkflowDocument, to: Endpoint, source: Source | undefined): WorkflowDocument {
  if (to.inner && to.stage === '')
    return withProperty(document, 'outputs', withMember(document.outputs, to.port, source));
  const name = to.inner ? 'outputs' : 'inputs';
  return updateStage(document, to.stage, (stage) =>
    withProperty(stage, name, withMember(stage[name] as Record<string, Source> | undefined, to.port, source)),
  );
}

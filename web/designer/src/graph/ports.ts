/** The ports of a stage, whatever it is: an activity, a group, a workflow, or a kind that nobody knows. */
import {
  findStage,
  isGroup,
  isWithin,
  parentOf,
  stagesIn,
  walk,
  type Catalog,
  type Path,
  type Port,
  type Source,
  type Stage,
  type WorkflowDocument,
} from './document';
import { groupInputs, namesIn, parseSource, resolve, sourcesOf } from './references';

/** The type of what cannot be known; it fits everywhere. */
export const unknown = '?';

export interface Ports {
  inputs: Port[];
  outputs: Port[];
  /** False for a kind that the catalog lacks and for a workflow in another file: the ports are those in use. */
  known: boolean;
}

export const isList = (type: string): boolean => type.endsWith('[]');
export const elementOf = (type: string): string => (isList(type) ? type.slice(0, -2) : type);

// Documents may nest as deep as they like and may be wrong: a type is looked up through this many stages at most.
const deepest = 64;

export function portsOf(document: WorkflowDocument, path: Path, catalog: Catalog, depth = 0): Ports {
  const stage = findStage(document, path);
  if (!stage || depth > deepest) return { inputs: [], outputs: [], known: false };
  const ports = ownPorts(document, path, stage, catalog, depth);
  return stage.matrix
    ? { ...ports, outputs: ports.outputs.map((port) => ({ ...port, type: listOf(port.type) })) }
    : ports;
}

const listOf = (type: string): string => (type === unknown ? unknown : `${type}[]`);

function ownPorts(document: WorkflowDocument, path: Path, stage: Stage, catalog: Catalog, depth: number): Ports {
  if (isGroup(stage)) {
    return {
      inputs: Object.entries(stage.inputs ?? {}).map(([name, source]) =>
        port(name, typeOf(document, parentOf(path), source, catalog, depth + 1)),
      ),
      outputs: Object.entries(stage.outputs ?? {}).map(([name, source]) =>
        port(name, typeOf(document, path, source, catalog, depth + 1)),
      ),
      known: true,
    };
  }
  if (typeof stage.workflow === 'object' && stage.workflow !== null) {
    const inner = stage.workflow;
    return {
      inputs: Object.entries(inner.inputs ?? {}).map(([name, type]) => declared(name, type)),
      outputs: Object.entries(inner.outputs ?? {}).map(([name, source]) =>
        port(name, typeOf(inner, '', source, catalog, depth + 1)),
      ),
      known: true,
    };
  }
  const activity = stage.kind === undefined ? undefined : catalog.get(stage.kind);
  if (activity && stage.workflow === undefined)
    return { inputs: activity.inputs, outputs: activity.outputs, known: true };
  return {
    inputs: Object.keys(stage.inputs ?? {}).map((name) => port(name, unknown, true)),
    outputs: [...outputsInUse(document, path)].map((name) => port(name, unknown)),
    known: false,
  };
}

const port = (name: string, type: string, optional = false): Port => ({ name, type, optional });

/** A declared input: `checkpoint`, or `checkpoint?` where it may stay unconnected. */
const declared = (name: string, type: string): Port =>
  type.endsWith('?') && type !== unknown ? port(name, type.slice(0, -1), true) : port(name, type);

/** The type of a source as it is seen in a scope. */
export function typeOf(document: WorkflowDocument, scope: Path, source: Source, catalog: Catalog, depth = 0): string {
  const name = parseSource(sourcesOf(source)[0] ?? '');
  if (!name || depth > deepest) return unknown;
  if (name.stage === groupInputs) {
    if (scope === '') return declared(name.port, document.inputs?.[name.port] ?? unknown).type;
    const outer = findStage(document, scope)?.inputs?.[name.port];
    return outer === undefined ? unknown : typeOf(document, parentOf(scope), outer, catalog, depth + 1);
  }
  const path = resolve(document, scope, name.stage);
  if (path === undefined) return unknown;
  return outputType(document, path, name.port, catalog, depth + 1);
}

// One output only: looking at all of them at every step would take for ever where groups feed each other in circles.
function outputType(document: WorkflowDocument, path: Path, name: string, catalog: Catalog, depth: number): string {
  const stage = findStage(document, path)!;
  const inner = typeof stage.workflow === 'object' ? stage.workflow : undefined;
  let type: string | undefined;
  if (isGroup(stage) || inner) {
    const source = (inner ?? stage).outputs?.[name];
    if (source !== undefined)
      type = inner ? typeOf(inner, '', source, catalog, depth) : typeOf(document, path, source, catalog, depth);
  } else if (stage.workflow === undefined)
    type = catalog.get(stage.kind ?? '')?.outputs.find((output) => output.name === name)?.type;
  return type === undefined ? unknown : stage.matrix ? listOf(type) : type;
}

function outputsInUse(document: WorkflowDocument, path: Path): Set<string> {
  const scope = parentOf(path);
  const used = new Set<string>();
  const note = (text: string, at: Path) => {
    const name = parseSource(text);
    if (name && isWithin(at, scope) && resolve(document, at, name.stage) === path) used.add(name.port);
  };
  const noteAll = (members: Record<string, Source> | undefined, at: Path) =>
    Object.values(members ?? {}).forEach((source) => sourcesOf(source).forEach((text) => note(text, at)));

  if (scope === '') noteAll(document.outputs, '');
  for (const { path: at, scope: around, stage } of stagesIn(document, scope).length > 0 ? walk(document) : []) {
    noteAll(stage.inputs, around);
    if (isGroup(stage)) noteAll(stage.outputs, at);
    for (const { parts } of namesIn(stage.when ?? '')) if (parts.length > 1) note(`${parts[0]}.${parts[1]}`, around);
  }
  return used;
}

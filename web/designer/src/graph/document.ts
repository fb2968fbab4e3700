/** The workflow document as the server stores it. What is not known here is kept as it is. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** "stage.port", or several: a single port takes the first that was not skipped, a list port all of them. */
export type Source = string | string[];

export interface Stage {
  id: string;
  kind?: string;
  parameters?: Record<string, Json>;
  inputs?: Record<string, Source>;
  /** Of a group: its outputs by name. */
  outputs?: Record<string, Source>;
  /** Makes the stage a group. */
  stages?: Stage[];
  /** Makes the stage a whole workflow: a path, or the definition itself. */
  workflow?: string | WorkflowDocument;
  when?: string;
  matrix?: { values: Record<string, Json>; parallel?: number | string };
  repeat?: { times?: number | string; until?: string };
  isolation?: 'none' | 'process';
  cache?: boolean;
  resources?: { gpu?: number };
  retry?: { attempts?: number; backoff?: number; crashes?: number };
  timeout?: number;
  description?: string;
  [other: string]: unknown;
}

export const parameterTypes = ['text', 'path', 'number', 'integer', 'boolean', 'list'] as const;

export interface ParameterDefinition {
  type: (typeof parameterTypes)[number];
  default?: Json;
  description?: string;
  [other: string]: unknown;
}

export interface Position {
  x: number;
  y: number;
}

/** A note on the canvas. */
export interface Note {
  text: string;
  x: number;
  y: number;
  width?: number;
  height?: number;
  colour?: string;
}

export interface WorkflowDocument {
  name: string;
  description?: string;
  parameters?: Record<string, ParameterDefinition>;
  /** Name to type, for a workflow that is used as a stage. */
  inputs?: Record<string, string>;
  stages: Stage[];
  outputs?: Record<string, Source>;
  layout?: Record<string, Position & { collapsed?: boolean }>;
  notes?: Note[];
  [other: string]: unknown;
}

export interface Port {
  name: string;
  type: string;
  optional: boolean;
}

/** An entry of the catalog. */
export interface Activity {
  kind: string;
  version: number;
  family: string;
  description: string;
  inputs: Port[];
  outputs: Port[];
  parameters: Json;
}

export type Catalog = ReadonlyMap<string, Activity>;

export const catalogOf = (activities: Activity[]): Catalog =>
  new Map(activities.map((activity) => [activity.kind, activity]));

export const emptyDocument = (name: string): WorkflowDocument => ({ name, stages: [] });

/** Where a stage stands: its id after those of the groups around it, `group/inner`. The document itself is ''. */
export type Path = string;

export const parentOf = (path: Path): Path => path.slice(0, Math.max(0, path.lastIndexOf('/')));
export const idOf = (path: Path): string => path.slice(path.lastIndexOf('/') + 1);
export const join = (scope: Path, id: string): Path => (scope === '' ? id : `${scope}/${id}`);
export const isWithin = (path: Path, scope: Path): boolean =>
  scope === '' || path === scope || path.startsWith(`${scope}/`);
export const isGroup = (stage: Stage): boolean => Array.isArray(stage.stages);

export function stagesIn(document: WorkflowDocument, scope: Path): Stage[] {
  let stages = document.stages ?? [];
  for (const id of scope === '' ? [] : scope.split('/')) stages = byId(stages).get(id)?.stages ?? [];
  return stages;
}

// Documents are never changed in place, so what was counted once about a list of stages stays true.
const indices = new WeakMap<Stage[], Map<string, Stage>>();

function byId(stages: Stage[]): Map<string, Stage> {
  let index = indices.get(stages);
  if (!index) {
    index = new Map();
    for (const stage of stages) if (!index.has(stage.id)) index.set(stage.id, stage);
    indices.set(stages, index);
  }
  return index;
}

export const findStage = (document: WorkflowDocument, path: Path): Stage | undefined =>
  byId(stagesIn(document, parentOf(path))).get(idOf(path));

interface Placed {
  path: Path;
  scope: Path;
  stage: Stage;
}

/** Every stage, a group before what is in it. */
export function walk(document: WorkflowDocument, scope: Path = ''): Placed[] {
  return stagesIn(document, scope).flatMap((stage) => {
    const path = join(scope, stage.id);
    return [{ path, scope, stage }, ...(isGroup(stage) ? walk(document, path) : [])];
  });
}

export function updateStages(
  document: WorkflowDocument,
  scope: Path,
  change: (stages: Stage[]) => Stage[],
): WorkflowDocument {
  if (scope === '') return { ...document, stages: change(document.stages ?? []) };
  return updateStage(document, scope, (group) => ({ ...group, stages: change(group.stages ?? []) }));
}

export function updateStage(document: WorkflowDocument, path: Path, change: (stage: Stage) => Stage): WorkflowDocument {
  return updateStages(document, parentOf(path), (stages) =>
    stages.map((stage) => (stage.id === idOf(path) ? change(stage) : stage)),
  );
}

/** An object with a member set, or left out where the value is undefined; nothing at all when it becomes empty. */
export function withMember<T>(
  members: Record<string, T> | undefined,
  name: string,
  value: T | undefined,
): Record<string, T> | undefined {
  const changed = { ...members };
  if (value === undefined) delete changed[name];
  else changed[name] = value;
  return Object.keys(changed).length === 0 ? undefined : changed;
}

/** The object with a property set, or left out where the value is undefined. */
export function withProperty<T extends object>(target: T, name: string, value: unknown): T {
  const changed = { ...target } as Record<string, unknown>;
  if (value === undefined) delete changed[name];
  else changed[name] = value;
  return changed as T;
}

export function uniqueName(wanted: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  if (!names.has(wanted)) return wanted;
  const stem = wanted.replace(/-\d+$/, '');
  for (let number = 2; ; number++) if (!names.has(`${stem}-${number}`)) return `${stem}-${number}`;
}

/** The rule of the server for the id of a stage. */
export const isIdentifier = (text: string): boolean => /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(text);

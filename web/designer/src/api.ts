/** Everything that is asked of the server. */
import type { Activity, Json, WorkflowDocument } from './graph/document';
import type { Fault } from './graph/checks';

export interface Template {
  name: string;
  title: string;
  description: string;
  definition: WorkflowDocument;
}

export interface DefinitionSummary {
  name: string;
  description?: string;
  revision: number;
  published: number | null;
  changed: boolean;
  updated: string;
}

export interface Version {
  version: number;
  at: string;
  by?: string;
}

export interface Definition {
  name: string;
  definition: WorkflowDocument;
  revision: number;
  published: number | null;
  versions: Version[];
}

/** Of the stage, or of the workflow itself. */
export interface ImportWarning {
  stage?: string;
  message: string;
}

export type RunState = 'running' | 'succeeded' | 'failed' | 'cancelled';
export type StageState = 'waiting' | 'ready' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'blocked' | 'skipped';

export interface StageView {
  id: string;
  kind: string;
  state: StageState;
  attempt: number;
  reused: boolean;
  seconds?: number | null;
  progress?: { done: number; total: number; unit: string; figures?: Record<string, number> } | null;
  outputs?: Record<string, Json> | null;
  error?: string | null;
  worker?: string | null;
  device?: string | null;
  waitsFor?: string | null;
  /** When its last attempt was claimed. */
  started?: string | null;
}

export interface RunView {
  id: string;
  name: string;
  state: RunState;
  created: string;
  finished?: string | null;
  parameters: Record<string, Json>;
  definition: WorkflowDocument;
  outputs: Record<string, Json>;
  stages: StageView[];
}

export type RunSummary = Pick<RunView, 'id' | 'name' | 'state' | 'created' | 'finished'> & { stages?: StageView[] };

export interface ResetSummary {
  willRun: string[];
  kept: string[];
  thrownAway: string[];
  goesOn: Record<string, number>;
}

export interface LogLine {
  id: number;
  stage: string;
  attempt: number;
  at: string;
  text: string;
}

export interface StartRun {
  definition?: WorkflowDocument;
  name?: string;
  version?: number;
  values: Record<string, Json>;
  noCache?: boolean;
  key?: string;
}

/** An answer that is no success; its message is for the user. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: unknown,
  ) {
    super(message);
  }
}

/** A body that is text is sent as it is. */
async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/api${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, 'the server does not answer', undefined);
  }
  const text = await answer.text();
  let read: unknown;
  try {
    read = text === '' ? undefined : JSON.parse(text);
  } catch {
    read = undefined;
  }
  if (answer.ok) return read as T;
  const problem = (read ?? {}) as { detail?: string; title?: string; errors?: Fault[] };
  const said = Array.isArray(problem.errors) ? problem.errors.map((fault) => fault.message).join('; ') : undefined;
  throw new ApiError(
    answer.status,
    problem.detail ?? said ?? problem.title ?? `the server answered ${answer.status}`,
    read,
  );
}

const query = (values: Record<string, string | number | undefined>): string => {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, `${value}`]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
};
const at = encodeURIComponent;

export const api = {
  activities: () => ask<Activity[]>('GET', '/activities'),
  templates: () => ask<Template[]>('GET', '/templates'),
  definitions: () => ask<DefinitionSummary[]>('GET', '/definitions'),
  definition: (name: string) => ask<Definition>('GET', `/definitions/${at(name)}`),
  version: (name: string, version: number) =>
    ask<WorkflowDocument>('GET', `/definitions/${at(name)}/versions/${version}`),
  save: (name: string, definition: WorkflowDocument, revision: number) =>
    ask<{ revision: number }>('PUT', `/definitions/${at(name)}`, { definition, revision }),
  publish: (name: string, revision: number) =>
    ask<{ version: number }>('POST', `/definitions/${at(name)}/publish`, { revision }),
  remove: (name: string) => ask<void>('DELETE', `/definitions/${at(name)}`),
  validate: (definition: WorkflowDocument, values?: Record<string, Json>) =>
    ask<{ errors: Fault[] }>('POST', '/validate', { definition, values }),
  importElsa: (text: string) =>
    ask<{ definition: WorkflowDocument; warnings: ImportWarning[] }>('POST', '/elsa/import', text),
  exportElsa: (definition: WorkflowDocument) => ask<Json>('POST', '/elsa/export', definition),
  start: (run: StartRun) => ask<{ id: string }>('POST', '/runs', run),
  runs: (filter: { limit?: number; before?: string; state?: string; name?: string }) =>
    ask<RunSummary[]>('GET', `/runs${query(filter)}`),
  run: (id: string) => ask<RunView>('GET', `/runs/${at(id)}`),
  cancel: (id: string) => ask<void>('POST', `/runs/${at(id)}/cancel`),
  reset: (id: string, how: { from?: string; only?: boolean; values?: Record<string, Json>; dryRun?: boolean }) =>
    ask<ResetSummary>('POST', `/runs/${at(id)}/reset`, how),
  logs: (id: string, filter: { stage?: string; after?: number }) =>
    ask<LogLine[]>('GET', `/runs/${at(id)}/logs${query(filter)}`),
};

export type ServerEvent =
  | { type: 'run'; id: string }
  | { type: 'definitions'; name: string }
  | { type: 'workers' }
  | { type: 'schedules' };

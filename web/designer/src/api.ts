/** Everything that is asked of the server. */
import type { Activity, Json, WorkflowDocument } from './graph/document';
import type { Fault } from './graph/checks';
import { heard } from './hooks/reach';
import { comparedOf, lineageOf } from './shapes';
import type {
  Template,
  DefinitionSummary,
  Definition,
  RunView,
  RunSummary,
  ResetSummary,
  ArtifactInfo,
  ComparedView,
  LineageView,
  StagePreview,
  LogLine,
  StartRun,
  AttemptMetrics,
  Attempt,
  Fire,
  Schedule,
  NewSchedule,
  SchedulePlan,
  Worker,
  Dashboard,
  Role,
  Session,
  Token,
  AuditLine,
  ImportWarning,
} from './apiTypes';

export type * from './apiTypes';

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

/** Says `login` when the server wants to know who asks, `refused` when they may not. */
export const strangers = new EventTarget();

/** A body that is text is sent as it is. */
async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/api${path}`, {
      method,
      // The cookie of a login counts only beside a header that no other site's page can send.
      headers: {
        'x-requested-with': 'pipelines',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
  } catch {
    heard('away');
    throw new ApiError(0, 'the server does not answer', undefined);
  }
  heard([502, 503, 504].includes(answer.status) ? 'away' : 'there');
  const text = await answer.text();
  let read: unknown;
  try {
    read = text === '' ? undefined : JSON.parse(text);
  } catch {
    read = undefined;
  }
  if (answer.ok) return read as T;
  if (answer.status === 401) strangers.dispatchEvent(new Event('login'));
  if (answer.status === 403) strangers.dispatchEvent(new Event('refused'));
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
  metrics: (id: string, stage: string) => ask<AttemptMetrics[]>('GET', `/runs/${at(id)}/stages/${at(stage)}/metrics`),
  attempts: (id: string, stage: string) => ask<Attempt[]>('GET', `/runs/${at(id)}/stages/${at(stage)}/attempts`),
  preview: (run: StartRun) => ask<StagePreview[]>('POST', '/runs/preview', run),
  compare: (ids: string[]) =>
    ask<ComparedView[]>('GET', `/runs/compare${query({ ids: ids.join(',') })}`).then((runs) => runs.map(comparedOf)),
  artifact: (hash: string) => ask<ArtifactInfo>('GET', `/artifacts/${at(hash)}/info`),
  lineage: (hash: string) => ask<LineageView>('GET', `/artifacts/${at(hash)}/lineage`).then(lineageOf),
  schedules: () => ask<Schedule[]>('GET', '/schedules'),
  schedule: (name: string) => ask<Schedule>('GET', `/schedules/${at(name)}`),
  createSchedule: (schedule: NewSchedule) => ask<Schedule>('POST', '/schedules', schedule),
  changeSchedule: (name: string, plan: SchedulePlan) => ask<Schedule>('PUT', `/schedules/${at(name)}`, plan),
  removeSchedule: (name: string) => ask<void>('DELETE', `/schedules/${at(name)}`),
  pauseSchedule: (name: string, reason?: string) => ask<Schedule>('POST', `/schedules/${at(name)}/pause`, { reason }),
  resumeSchedule: (name: string) => ask<Schedule>('POST', `/schedules/${at(name)}/resume`),
  triggerSchedule: (name: string) => ask<Fire>('POST', `/schedules/${at(name)}/trigger`),
  scheduleHistory: (name: string, limit?: number) =>
    ask<Fire[]>('GET', `/schedules/${at(name)}/history${query({ limit })}`),
  previewSchedule: (cron: string, zone: string, count = 5) =>
    ask<{ times: string[] }>('POST', '/schedules/preview', { cron, zone, count }),
  workers: () => ask<Worker[]>('GET', '/workers'),
  /** With `now`, what it runs goes to others at its next checkpoint. */
  drain: (id: string, now = false) => ask<Worker>('POST', `/workers/${at(id)}/drain`, { now }),
  dashboard: () => ask<Dashboard>('GET', '/dashboard'),
  session: () => ask<Session>('GET', '/session'),
  login: (token: string) => ask<Session>('POST', '/session', { token }),
  logout: () => ask<void>('DELETE', '/session'),
  tokens: () => ask<Token[]>('GET', '/tokens'),
  /** The answer is the only one that has the token itself. */
  addToken: (name: string, role: Role, expires?: string) =>
    ask<Token & { token: string }>('POST', '/tokens', { name, role, expires }),
  revokeToken: (name: string) => ask<void>('DELETE', `/tokens/${at(name)}`),
  audit: (limit?: number) => ask<AuditLine[]>('GET', `/audit${query({ limit })}`),
};

/** Where the browser gets files from. */
export const files = {
  archive: (hash: string): string => `/api/artifacts/${at(hash)}/archive`,
  one: (hash: string, name: string): string => `/api/artifacts/${at(hash)}/files/${name.split('/').map(at).join('/')}`,
};

export type ServerEvent =
  { type: 'run'; id: string } | { type: 'definitions'; name: string } | { type: 'workers' } | { type: 'schedules' };

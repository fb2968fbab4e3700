/** Everything that is asked of the server. */
import type { Activity, Json, WorkflowDocument } from './graph/document';
import type { Fault } from './graph/checks';
import { heard } from './hooks/reach';
import {
  artifactOf,
  comparedOf,
  lineageOf,
  previewOf,
  type ArtifactAnswer,
  type CompareAnswer,
  type LineageAnswer,
  type PreviewAnswer,
} from './shapes';
import type { Difference } from './graph/difference';

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
  /** Why it was skipped, or computed although a result of it was there. */
  reason?: string | null;
  /** The values that its matrix gives it, and its round. */
  variables?: Record<string, Json> | null;
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

export interface MetricPoint {
  name: string;
  step: number;
  value: number;
}

export interface AttemptMetrics {
  attempt: number;
  points: MetricPoint[];
}

export interface Attempt {
  number: number;
  worker?: string | null;
  device?: string | null;
  started: string;
  finished?: string | null;
  outcome?: string | null;
  exitCode?: number | null;
  error?: string | null;
  /** The step of the checkpoint that it went on from. */
  fromStep?: number | null;
}

/** What a run would do with a stage: take a stored result, compute it, or (null) that cannot be said before. */
export interface StagePreview {
  id: string;
  reused: boolean | null;
  reason?: string | null;
  /** It would not run at all. */
  skipped?: boolean;
}

export interface ComparedStage {
  id: string;
  kind: string;
  state: StageState;
  seconds?: number | null;
  reused: boolean;
  outputs?: Record<string, Json> | null;
  variables?: Record<string, Json> | null;
}

export interface ComparedRun {
  id: string;
  name: string;
  state: RunState;
  created: string;
  seconds?: number | null;
  parameters: Record<string, Json>;
  outputs: Record<string, Json>;
  stages: ComparedStage[];
}

export interface ArtifactInfo {
  hash: string;
  bytes: number;
  files: { name: string; size: number; sha256: string }[];
  madeBy: { run: string; stage: string }[];
}

export interface LineageNode {
  id: string;
  kind: 'artifact' | 'stage';
  label: string;
  run?: string | null;
  stage?: string | null;
  hash?: string | null;
}

export interface Lineage {
  nodes: LineageNode[];
  edges: { from: string; to: string }[];
}

export type MissedPolicy = 'skip' | 'once' | 'all';
export type OverlapPolicy = 'skip' | 'queue' | 'cancel' | 'allow';

/** What became of one time of a schedule. */
export interface Fire {
  time: string;
  outcome: 'started' | 'queued' | 'skipped' | 'failed';
  triggered: boolean;
  /** Why there is no run. */
  reason?: string;
  run?: string;
  state?: RunState;
  /** Nothing was computed: every stage was reused. */
  reused: boolean;
}

export interface Schedule {
  name: string;
  /** The workflow's name. */
  workflow: string;
  /** The published definition that it starts; absent when it carries a document of its own. */
  definition?: string;
  /** Absent beside a definition: the version that is the latest at each firing. */
  version?: number;
  cron: string;
  zone: string;
  missed: MissedPolicy;
  overlap: OverlapPolicy;
  parameters: Record<string, Json>;
  created: string;
  pausedAt?: string;
  pauseReason?: string;
  /** The next five times, in UTC; none while it is paused. */
  next: string[];
  last?: Fire;
}

/** One of `definition` and `document`. */
export interface NewSchedule {
  name: string;
  cron: string;
  /** UTC when absent. */
  zone?: string;
  /** `once` when absent. */
  missed?: MissedPolicy;
  /** `skip` when absent. */
  overlap?: OverlapPolicy;
  definition?: string;
  version?: number;
  document?: WorkflowDocument;
  parameters?: Record<string, Json>;
}

/** The body of the 422 of a preview: which field is wrong, and which of the cron's five, from 0. */
export interface CronFault {
  detail: string;
  field: 'cron' | 'zone' | 'count';
  part?: number;
}

export interface Worker {
  id: string;
  host: string;
  pid: number;
  state: 'idle' | 'working' | 'draining' | 'dead';
  /** Stages at once, by group. */
  slots: Record<string, number>;
  devices: string[];
  started: string;
  /** Seconds since it was last heard of. */
  silent: number;
  stages: { run: string; stage: string; device: string }[];
}

export type Severity = 'ok' | 'warning' | 'error';

export interface DashboardItem {
  /** `runs`, `stages`, `schedules`, `workers` or `disk`. */
  about: string;
  severity: Severity;
  text: string;
  /** As `#/runs/ID`. */
  link?: string;
}

/** Whether anything is wrong: the worst severity, and a sentence about each thing. */
export interface Dashboard {
  severity: Severity;
  items: DashboardItem[];
  /** Runs that run now, and those that ended in the last 24 hours. */
  runs: { running: number; succeeded: number; failed: number; cancelled: number };
  stages: { ready: number; running: number; waitingForNoWorker: number; oldestReadySeconds?: number };
  disk: { free: number; total: number };
}

export type Role = 'viewer' | 'operator' | 'admin';

export interface Session {
  /** The token's; absent on the server's own machine without one. */
  name?: string;
  role: Role;
  local: boolean;
}

export interface Token {
  name: string;
  role: Role;
  created: string;
  expires?: string;
  revoked?: string;
  used?: string;
}

export interface AuditLine {
  id: number;
  at: string;
  who?: string;
  action: string;
  target: string;
  status: number;
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

/** Says `login` when the server wants to know who asks. */
export const strangers = new EventTarget();

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
      body: body === undefined ? undefined : JSON.stringify(body),
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
    ask<{ errors: Fault[] }>('POST', '/validate', { definition, values }).then(({ errors }) => ({
      // The server says `sweep.prune` where the canvas says `sweep/prune`.
      errors: errors.map((fault) => ({ ...fault, stage: fault.stage?.replaceAll('.', '/') ?? null })),
    })),
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
  preview: (run: StartRun) => ask<PreviewAnswer>('POST', '/runs/preview', run).then(previewOf),
  compare: (ids: string[]) =>
    ask<CompareAnswer>('GET', `/runs/compare${query({ ids: ids.join(',') })}`).then(comparedOf),
  artifact: (hash: string) => ask<ArtifactAnswer>('GET', `/artifacts/${at(hash)}/info`).then(artifactOf),
  lineage: (hash: string) => ask<LineageAnswer>('GET', `/artifacts/${at(hash)}/lineage`).then(lineageOf),
  difference: (name: string, from: number, to: number | 'draft') =>
    ask<Difference>('GET', `/definitions/${at(name)}/diff${query({ from, to })}`),
  schedules: () => ask<Schedule[]>('GET', '/schedules'),
  schedule: (name: string) => ask<Schedule>('GET', `/schedules/${at(name)}`),
  createSchedule: (schedule: NewSchedule) => ask<Schedule>('POST', '/schedules', schedule),
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
  | { type: 'run'; id: string }
  | { type: 'definitions'; name: string }
  | { type: 'workers' }
  | { type: 'schedules' };

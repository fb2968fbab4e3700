/** What the server takes and answers. */
import type { Json, WorkflowDocument } from './graph/document';

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

export type RunSummary = Pick<RunView, 'id' | 'name' | 'state' | 'created' | 'finished'> & {
  /** How many of its stages are in each state. */
  counts: Partial<Record<StageState, number>>;
};

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
  /** The values that its matrix gives it, and its round. */
  variables?: Record<string, Json> | null;
}

/** As the server tells it. */
export interface ComparedView {
  id: string;
  name: string;
  state: RunState;
  created: string;
  finished?: string | null;
  parameters: Record<string, Json>;
  outputs: Record<string, Json>;
  stages: ComparedStage[];
}

/** As it is drawn. */
export type ComparedRun = Omit<ComparedView, 'finished'> & { seconds: number | null };

export interface ArtifactInfo {
  hash: string;
  size: number;
  files: { name: string; size: number; sha256: string }[];
  /** The newest first. */
  madeBy: { run: string; stage: string }[];
}

/** As the server tells it. An edge joins a hash and the id of a stage. */
export interface LineageView {
  artifacts: { hash: string; here: boolean }[];
  stages: { id: string; run: string; workflow: string; stage: string; kind: string }[];
  edges: { from: string; to: string }[];
  /** Whether there is more of it than is told. */
  truncated: boolean;
}

export interface LineageNode {
  id: string;
  kind: 'artifact' | 'stage';
  label: string;
  run?: string | null;
  stage?: string | null;
  hash?: string | null;
}

/** As it is drawn. */
export interface Lineage {
  nodes: LineageNode[];
  edges: { from: string; to: string }[];
  truncated: boolean;
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

/** What it starts and when: for a new one, one of `definition` and `document`. What is left out of a change stays. */
export interface SchedulePlan {
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

export type NewSchedule = SchedulePlan & { name: string };

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

/** Of the stage, or of the workflow itself. */
export interface ImportWarning {
  stage?: string;
  message: string;
}

/** The stages of a run on the nodes of its graph. */
import type { StageState, StageView } from '../api';
import type { NodeStatus } from '../canvas/canvasStore';
import { parentOf, type Path } from '../graph/document';

/** The node that a stage of a run belongs to: the branches of a matrix and the rounds of a loop have one together. */
export const nodeOf = (stage: string): Path => stage.replace(/\[[^\]]*\]/g, '').replace(/#\d+/g, '');

// Of several, the one that a person wants to see first.
const order: StageState[] = ['failed', 'running', 'ready', 'waiting', 'cancelled', 'blocked', 'succeeded', 'skipped'];
const isDone = ({ state }: StageView): boolean => state === 'succeeded' || state === 'skipped';

export function statusesOf(stages: StageView[]): Record<Path, NodeStatus> {
  const members = new Map<Path, StageView[]>();
  for (const stage of stages)
    for (let path = nodeOf(stage.id); path !== ''; path = parentOf(path))
      members.set(path, [...(members.get(path) ?? []), stage]);
  return Object.fromEntries([...members].map(([path, group]) => [path, statusOf(group)]));
}

function statusOf(group: StageView[]): NodeStatus {
  const shown = [...group].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0]!;
  const { progress } = shown;
  const seconds = group.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
  const done = group.filter(isDone).length;
  const share = progress && progress.total > 0 ? progress.done / progress.total : undefined;
  return {
    state: shown.state,
    reused: group.every((stage) => stage.reused),
    progress: group.length > 1 ? done / group.length : share,
    text: progress ? progressText(progress) : (shown.waitsFor ?? undefined),
    seconds: seconds > 0 ? seconds : undefined,
    worker: shown.worker ?? undefined,
    device: shown.device ?? undefined,
    error: shown.error ?? undefined,
    attempt: shown.attempt,
    count: group.length,
    done,
  };
}

export function progressText({ done, total, unit, figures }: NonNullable<StageView['progress']>): string {
  const numbers = Object.entries(figures ?? {}).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  return [`${done}${total > 0 ? ` of ${total}` : ''} ${unit}`, ...numbers].join(', ');
}

/** Seconds until a running stage is done, if it goes on as it did; undefined where nothing can be said. */
export function remaining({ progress, seconds, state }: StageView): number | undefined {
  if (state !== 'running' || !progress || !seconds || progress.done <= 0 || progress.total <= 0) return undefined;
  return (seconds / progress.done) * (progress.total - progress.done);
}

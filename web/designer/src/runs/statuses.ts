/** The stages of a run on the nodes of its graph. */
import type { StageState, StageView } from '../api';
import type { NodeStatus } from '../canvas/canvasStore';
import { findStage, parentOf, type Path, type WorkflowDocument } from '../graph/document';
import { branchOf, isShown, nodeOf, type ChosenBranches } from './branches';

// Of several, the one that a person wants to see first.
const order: StageState[] = ['failed', 'running', 'ready', 'waiting', 'cancelled', 'blocked', 'succeeded', 'skipped'];
const isDone = ({ state }: StageView): boolean => state === 'succeeded' || state === 'skipped';

/** @param chosen The branches that are looked at; a node with branches tells of all of them even so. */
export function statusesOf(
  stages: StageView[],
  definition?: WorkflowDocument,
  chosen: ChosenBranches = {},
): Record<Path, NodeStatus> {
  const members = new Map<Path, StageView[]>();
  for (const stage of stages)
    for (let path = nodeOf(stage.id); path !== ''; path = parentOf(path)) {
      const { [path]: _, ...others } = chosen;
      if (isShown(stage.id, others)) members.set(path, [...(members.get(path) ?? []), stage]);
    }
  return Object.fromEntries([...members].map(([path, group]) => [path, statusOf(group, path, definition)]));
}

function statusOf(group: StageView[], path: Path, definition: WorkflowDocument | undefined): NodeStatus {
  const shown = [...group].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0]!;
  const { progress } = shown;
  const seconds = group.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
  const { count, done, unit } = tally(group, path, definition);
  const share = progress && progress.total > 0 ? progress.done / progress.total : undefined;
  return {
    state: shown.state,
    reused: group.every((stage) => stage.reused),
    progress: group.length > 1 ? group.filter(isDone).length / group.length : share,
    text: progress ? progressText(progress) : (shown.waitsFor ?? shown.reason ?? undefined),
    seconds: seconds > 0 ? seconds : undefined,
    worker: shown.worker ?? undefined,
    device: shown.device ?? undefined,
    error: shown.error ?? undefined,
    attempt: shown.attempt,
    count,
    done,
    unit,
  };
}

// A branch is done when all of its stages are.
function tally(group: StageView[], path: Path, definition: WorkflowDocument | undefined) {
  const open = new Map<string, boolean>();
  for (const stage of group) {
    const branch = branchOf(stage.id, path);
    if (branch !== undefined) open.set(branch, Boolean(open.get(branch)) || !isDone(stage));
  }
  if (open.size === 0) return { count: group.length, done: group.filter(isDone).length, unit: 'stages' as const };
  const isLoop = definition && findStage(definition, path)?.repeat !== undefined;
  return {
    count: open.size,
    done: [...open.values()].filter((isOpen) => !isOpen).length,
    unit: isLoop ? ('rounds' as const) : ('branches' as const),
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

/** When the stages of a run were busy, in seconds since it began. */
import type { RunView, StageView } from '../api';

interface Span {
  stage: StageView;
  from: number;
  seconds: number;
}

/** Stages that have begun, in the order in which they did; one that runs lasts until now. */
export function spansOf(run: Pick<RunView, 'created' | 'stages'>, now: number): Span[] {
  const begun = Date.parse(run.created);
  return run.stages
    .flatMap((stage): Span[] => {
      if (!stage.started) return stage.seconds ? [{ stage, from: 0, seconds: stage.seconds }] : [];
      const from = Math.max(0, (Date.parse(stage.started) - begun) / 1000);
      const open = stage.state === 'running' ? Math.max(0, (now - begun) / 1000 - from) : 0;
      return [{ stage, from, seconds: Math.max(stage.seconds ?? 0, open) }];
    })
    .sort((a, b) => a.from - b.from);
}

export function ticksOf(total: number): number[] {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400];
  const step = steps.find((one) => total / one <= 6) ?? 86400 * Math.ceil(total / 86400 / 6);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
}

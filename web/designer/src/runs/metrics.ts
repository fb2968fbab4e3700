/** The figures of a stage as curves and bars. */
import type { AttemptMetrics, StageView } from '../api';
import type { Point, Series } from '../charts/LineChart';

interface Plot {
  name: string;
  shape: 'line' | 'bars';
  series: Series[];
}

const layerUnits = /^(layer|linear|block|head|expert|neuron|channel|site)s?$/i;
const overTime = /loss|perplexity|tokens|\/s$|rate|norm|accuracy|reward/i;

/** Figures that are stated once for each layer are bars; what changes with the steps is a curve. */
export const isPerLayer = (stage: Pick<StageView, 'kind' | 'progress'>, name: string): boolean =>
  stage.progress?.unit ? layerUnits.test(stage.progress.unit) : stage.kind.startsWith('prune.') && !overTime.test(name);

/** One plot for each figure. Where an attempt did steps again, the later one counts; the earlier is shown faintly. */
export function plotsOf(stage: Pick<StageView, 'kind' | 'progress'>, attempts: AttemptMetrics[]): Plot[] {
  const names = [...new Set(attempts.flatMap((one) => one.points.map((point) => point.name)))];
  const sorted = [...attempts].sort((a, b) => a.attempt - b.attempt);
  return names.map((name) => {
    const series = sorted.flatMap(({ attempt, points }): Series[] => {
      const own = points
        .filter((point) => point.name === name && Number.isFinite(point.value))
        .map(({ step, value }): Point => ({ step, value }))
        .sort((a, b) => a.step - b.step);
      return own.length === 0 ? [] : [{ name: `attempt ${attempt}`, points: own }];
    });
    series.forEach((one, index) => {
      if (index < series.length - 1) one.old = true;
    });
    return isPerLayer(stage, name)
      ? { name, shape: 'bars', series: [{ name, points: lastOfEach(series) }] }
      : { name, shape: 'line', series };
  });
}

function lastOfEach(series: Series[]): Point[] {
  const byStep = new Map(series.flatMap((one) => one.points).map((point) => [point.step, point]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

export const unitOf = (stage: Pick<StageView, 'progress'>): string =>
  (stage.progress?.unit ?? 'layer').replace(/s$/, '');

/** The share of each layer that was kept, where a figure says it: 1 less the sparsity, or a count of the most there is. */
export function keptOf(plots: Plot[]): { name: string; shares: number[]; counts?: number[] }[] {
  return plots
    .filter((plot) => plot.shape === 'bars')
    .map(({ name, series }) => {
      const values = series[0]!.points.map((point) => point.value);
      if (/sparsity/i.test(name)) return { name: 'weights', shares: values.map((value) => 1 - value) };
      const most = Math.max(...values, 1);
      return { name, shares: values.map((value) => value / most), counts: values };
    });
}

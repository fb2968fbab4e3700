import { BarChart } from '../charts/BarChart';
import { LineChart } from '../charts/LineChart';
import { plotsOf, unitOf } from './metrics';
import type { StageMetrics } from './useMetrics';

/** Every figure of a stage, each in a plot of its own. */
export function Plots({ metrics: { stage, attempts } }: { metrics: StageMetrics }) {
  return (
    <div className="plots">
      {plotsOf(stage, attempts).map(({ name, shape, series }) =>
        shape === 'bars' ? (
          <BarChart key={name} title={name} unit={unitOf(stage)} points={series[0]!.points} />
        ) : (
          <LineChart key={name} title={name} series={series} />
        ),
      )}
    </div>
  );
}

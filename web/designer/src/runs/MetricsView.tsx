import type { RunView, StageView } from '../api';
import { Plots } from './Plots';
import { useMetrics } from './useMetrics';

/** The figures of all stages that are looked at. */
export function MetricsView({ run, stages }: { run: RunView; stages: StageView[] }) {
  const { data, error, left } = useMetrics(run.id, stages);
  if (error)
    return (
      <p className="fault" role="alert">
        {error}
      </p>
    );
  if (!data) return <p className="empty">Fetching the figures…</p>;
  if (data.length === 0)
    return (
      <p className="empty">
        No figures yet. Stages that train, prune or measure state them while they run; a reused stage has none of its
        own.
      </p>
    );
  return (
    <>
      {data.map((one) => (
        <section key={one.stage.id}>
          <h2>{one.stage.id}</h2>
          <Plots metrics={one} />
        </section>
      ))}
      {left > 0 && <p className="hint">{left} more stages have figures. Choose a stage or a branch to see them.</p>}
    </>
  );
}

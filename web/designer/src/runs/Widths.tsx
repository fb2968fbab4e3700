import type { RunView } from '../api';
import { short } from '../charts/scale';
import { keptOf, plotsOf, unitOf } from './metrics';
import { useMetrics } from './useMetrics';

const height = 180;

/** What pruning left of each layer: the model as a silhouette, first layer on the left. */
export function Widths({ run }: { run: RunView }) {
  const { data } = useMetrics(
    run.id,
    run.stages.filter((stage) => stage.kind.startsWith('prune.')),
  );
  const pictures = (data ?? []).flatMap(({ stage, attempts }) =>
    keptOf(plotsOf(stage, attempts)).map((kept) => ({ ...kept, stage: stage.id, unit: unitOf(stage) })),
  );
  if (pictures.length === 0) return null;
  return (
    <section>
      <h2>What is left of each layer</h2>
      <div className="plots">
        {pictures.map((picture) => (
          <Silhouette key={`${picture.stage} ${picture.name}`} {...picture} />
        ))}
      </div>
    </section>
  );
}

interface Props {
  stage: string;
  name: string;
  unit: string;
  shares: number[];
  counts?: number[];
}

function Silhouette({ stage, name, unit, shares, counts }: Props) {
  const slot = 360 / shares.length;
  const least = shares.indexOf(Math.min(...shares));
  const said = (index: number): string => (counts ? short(counts[index]!) : `${Math.round(shares[index]! * 100)} %`);
  return (
    <figure className="plot silhouette">
      <figcaption>
        <strong>{name}</strong>
        <span className="hint">
          {stage}; the least is {unit} {least + 1}: {said(least)}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 360 ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name} kept by ${stage}, ${unit} by ${unit}: ${shares.map((_, index) => said(index)).join(', ')}`}
      >
        {shares.map((share, index) => (
          <g key={index}>
            <rect className="before" x={index * slot + slot * 0.08} width={slot * 0.84} y={0} height={height} />
            <rect
              className="bar"
              x={index * slot + slot * 0.08}
              width={slot * 0.84}
              y={(height * (1 - share)) / 2}
              height={Math.max(1, height * share)}
            >
              <title>{`${unit} ${index + 1}: ${said(index)}`}</title>
            </rect>
          </g>
        ))}
      </svg>
    </figure>
  );
}

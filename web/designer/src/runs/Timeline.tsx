import type { RunView, StageView } from '../api';
import { useWidth } from '../hooks/useWidth';
import { duration } from '../parts/format';
import { nodeOf } from './statuses';

interface Props {
  run: RunView;
  chosen?: string;
  onChoose: (path: string) => void;
}

const rowHeight = 22;
const labelWidth = 170;
const narrowest = 420;

/** When each stage ran and for how long; where the server does not say when, only for how long. */
export function Timeline({ run, chosen, onChoose }: Props) {
  const [box, measured] = useWidth<HTMLDivElement>(900);
  const width = Math.max(narrowest, measured);
  const rows = run.stages.filter((stage) => stage.seconds);
  if (rows.length === 0)
    return (
      <div ref={box}>
        <p className="empty">No stage has begun yet.</p>
      </div>
    );
  const begun = Date.parse(run.created);
  const start = (stage: StageView) => (stage.started ? Math.max(0, (Date.parse(stage.started) - begun) / 1000) : 0);
  const total = Math.max(...rows.map((stage) => start(stage) + stage.seconds!), 0.001);
  const scale = (width - labelWidth - 70) / total;
  const ticks = ticksOf(total);
  return (
    <div ref={box}>
      <svg
        className="timeline"
        width={width}
        height={rows.length * rowHeight + 26}
        role="img"
        aria-label={`Timeline of ${rows.length} stages, ${duration(total)}`}
      >
        {ticks.map((tick) => (
          <g key={tick} transform={`translate(${labelWidth + tick * scale} 0)`}>
            <line y1={16} y2={rows.length * rowHeight + 24} />
            <text y={11} className="tick">
              {tick === 0 ? '0' : duration(tick)}
            </text>
          </g>
        ))}
        {rows.map((stage, index) => (
          <g
            key={stage.id}
            transform={`translate(0 ${22 + index * rowHeight})`}
            className={`bar-row ${chosen === nodeOf(stage.id) ? 'chosen' : ''}`}
            onClick={() => onChoose(nodeOf(stage.id))}
          >
            <rect x={0} y={-1} width={width} height={rowHeight - 2} className="row-back" />
            <text x={labelWidth - 8} y={13} textAnchor="end">
              {stage.id.length > 26 ? `${stage.id.slice(0, 25)}…` : stage.id}
            </text>
            <rect
              x={labelWidth + start(stage) * scale}
              y={3}
              width={Math.max(2, stage.seconds! * scale)}
              height={rowHeight - 10}
              rx={3}
              className={`bar ${stage.reused ? 'reused' : stage.state}`}
            >
              <title>{`${stage.id}: ${duration(stage.seconds!)}${stage.worker ? ` on ${stage.worker}` : ''}`}</title>
            </rect>
            <text x={labelWidth + (start(stage) + stage.seconds!) * scale + 6} y={13} className="tick">
              {stage.reused ? 'reused' : duration(stage.seconds!)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

export function ticksOf(total: number): number[] {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400];
  const step = steps.find((one) => total / one <= 6) ?? 86400 * Math.ceil(total / 86400 / 6);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
}

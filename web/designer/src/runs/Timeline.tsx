import type { KeyboardEvent } from 'react';
import type { RunView } from '../api';
import { useWidth } from '../hooks/useWidth';
import { duration } from '../parts/format';
import { spansOf, ticksOf } from './spans';

interface Props {
  run: RunView;
  chosen?: ReadonlySet<string>;
  onChoose: (stage: string) => void;
}

const rowHeight = 22;
const narrowest = 420;

/** When each stage ran and for how long. */
export function Timeline({ run, chosen, onChoose }: Props) {
  const [box, measured] = useWidth<HTMLDivElement>(900);
  const width = Math.max(narrowest, measured);
  const labelWidth = width < 600 ? 120 : 190;
  const longest = Math.floor(labelWidth / 7);
  const spans = spansOf(run, Date.now());
  if (spans.length === 0)
    return (
      <div ref={box}>
        <p className="empty">
          No stage has begun yet{run.stages.some((stage) => stage.waitsFor) ? ': see what the stages wait for' : ''}.
        </p>
      </div>
    );
  const total = Math.max(...spans.map(({ from, seconds }) => from + seconds), 0.001);
  const scale = (width - labelWidth - 70) / total;
  return (
    <div ref={box}>
      <svg
        className="timeline"
        width={width}
        height={spans.length * rowHeight + 26}
        role="group"
        aria-label={`Timeline of ${spans.length} stages, ${duration(total)}`}
      >
        {ticksOf(total).map((tick) => (
          <g key={tick} transform={`translate(${labelWidth + tick * scale} 0)`}>
            <line y1={16} y2={spans.length * rowHeight + 24} />
            <text y={11} className="tick">
              {tick === 0 ? '0' : duration(tick)}
            </text>
          </g>
        ))}
        {spans.map(({ stage, from, seconds }, index) => {
          const word = stage.reused ? 'reused' : duration(seconds);
          return (
            <g
              key={stage.id}
              transform={`translate(0 ${22 + index * rowHeight})`}
              className={`bar-row ${chosen?.has(stage.id) ? 'chosen' : ''}`}
              role="button"
              tabIndex={0}
              aria-label={`${stage.id} ${word}, ${stage.state}, begun after ${duration(from)}`}
              onClick={() => onChoose(stage.id)}
              onKeyDown={(event: KeyboardEvent) => event.key === 'Enter' && onChoose(stage.id)}
            >
              <rect x={0} y={-1} width={width} height={rowHeight - 2} className="row-back" />
              <text x={labelWidth - 8} y={13} textAnchor="end">
                {`${stage.id.length > longest ? `…${stage.id.slice(1 - longest)}` : stage.id} `}
              </text>
              <rect
                x={labelWidth + from * scale}
                y={3}
                width={Math.max(2, seconds * scale)}
                height={rowHeight - 10}
                rx={3}
                className={`bar ${stage.reused ? 'reused' : stage.state}`}
              />
              <text x={labelWidth + (from + seconds) * scale + 6} y={13} className="tick">
                {word}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

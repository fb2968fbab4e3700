import { useWidth } from '../hooks/useWidth';
import { Frame, margin, scalesOf } from './Frame';
import type { Point } from './LineChart';
import { rangeOf, short } from './scale';

interface Props {
  title: string;
  /** What one bar stands for: a block, a linear layer. */
  unit: string;
  points: Point[];
  height?: number;
}

/** A figure of each layer, one bar after the other. */
export function BarChart({ title, unit, points, height = 168 }: Props) {
  const [box, width] = useWidth<HTMLDivElement>(360);
  const xs = { from: 0.5, to: Math.max(...points.map((point) => point.step), 1) + 0.5 };
  const ys = rangeOf(
    points.map((point) => point.value),
    true,
  );
  const { x, y } = scalesOf(width, height, xs, { ...ys, to: ys.to * 1.05 });
  const slot = (width - margin.left - margin.right) / (xs.to - xs.from);
  const least = Math.min(...points.map((point) => point.value));
  const greatest = Math.max(...points.map((point) => point.value));
  return (
    <figure className="plot">
      <figcaption>
        <strong>{title}</strong>
        <span className="hint">
          {least === greatest ? short(least) : `${short(least)} to ${short(greatest)}`}, by {unit}
        </span>
      </figcaption>
      <div ref={box}>
        <Frame
          width={width}
          height={height}
          xs={xs}
          ys={{ ...ys, to: ys.to * 1.05 }}
          label={`${title} of ${points.length} ${unit}s, from ${short(least)} to ${short(greatest)}`}
          formatX={(value) => (Number.isInteger(value) ? `${value}` : '')}
        >
          {points.map((point) => (
            <rect
              key={point.step}
              className="bar"
              x={x(point.step) - slot * 0.4}
              width={Math.max(1, slot * 0.8)}
              y={y(point.value)}
              height={Math.max(0, y(0) - y(point.value))}
              rx={Math.min(3, slot * 0.2)}
            >
              <title>{`${unit} ${point.step}: ${short(point.value)}`}</title>
            </rect>
          ))}
        </Frame>
      </div>
    </figure>
  );
}

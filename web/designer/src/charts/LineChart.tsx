import { useState, type PointerEvent } from 'react';
import { useWidth } from '../hooks/useWidth';
import { Frame, margin, scalesOf } from './Frame';
import { padded, rangeOf, short, thinned } from './scale';

export interface Point {
  step: number;
  value: number;
}

export interface Series {
  name: string;
  points: Point[];
  /** The curve of an attempt that another one went on from. */
  old?: boolean;
}

interface Props {
  title: string;
  series: Series[];
  height?: number;
}

/** Curves over steps. Where the pointer is, their values are said. */
export function LineChart({ title, series, height = 168 }: Props) {
  const [box, width] = useWidth<HTMLDivElement>(360);
  const [at, setAt] = useState<number>();
  const drawn = series.map((one) => ({ ...one, points: thinned(one.points, Math.max(100, width * 2)) }));
  const all = series.flatMap((one) => one.points);
  const xs = rangeOf(all.map((point) => point.step));
  const ys = padded(rangeOf(all.map((point) => point.value)));
  const { x, y } = scalesOf(width, height, xs, ys);
  const last = series.at(-1)?.points.at(-1);
  const read = at === undefined ? [] : series.flatMap((one) => nearest(one.points, at, one.name));
  const follow = (event: PointerEvent<HTMLDivElement>) => {
    const left = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const share = (left - margin.left) / (width - margin.left - margin.right);
    setAt(share < 0 || share > 1 ? undefined : xs.from + share * (xs.to - xs.from));
  };
  const said = read.at(-1) ?? last;
  return (
    <figure className="plot">
      <figcaption>
        <strong>{title}</strong>
        {said && (
          <span className="hint">
            {short(said.value)} at {short(said.step)}
          </span>
        )}
      </figcaption>
      <div ref={box} onPointerMove={follow} onPointerLeave={() => setAt(undefined)}>
        <Frame
          width={width}
          height={height}
          xs={xs}
          ys={ys}
          label={`${title}: ${all.length} points${last ? `, the last is ${short(last.value)}` : ''}`}
        >
          {drawn.map((one, index) => (
            <path
              key={`${one.name} ${index}`}
              className={`curve ${one.old ? 'old' : ''}`}
              d={one.points
                .map(
                  (point, place) =>
                    `${place === 0 ? 'M' : 'L'}${x(point.step).toFixed(1)} ${y(point.value).toFixed(1)}`,
                )
                .join('')}
            />
          ))}
          {drawn.map(
            (one, index) =>
              one.points.length === 1 && (
                <circle
                  key={index}
                  className="mark-point"
                  cx={x(one.points[0]!.step)}
                  cy={y(one.points[0]!.value)}
                  r={3}
                />
              ),
          )}
          {read.map((point) => (
            <g key={point.name}>
              <line
                className="cursor"
                x1={x(point.step)}
                x2={x(point.step)}
                y1={margin.top}
                y2={height - margin.bottom}
              />
              <circle className="mark-point" cx={x(point.step)} cy={y(point.value)} r={3.5} />
            </g>
          ))}
        </Frame>
      </div>
    </figure>
  );
}

function nearest(points: Point[], step: number, name: string): (Point & { name: string })[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || step < first.step || step > last.step) return [];
  const best = points.reduce((a, b) => (Math.abs(b.step - step) < Math.abs(a.step - step) ? b : a));
  return [{ ...best, name }];
}

import { useWidth } from '../hooks/useWidth';
import { Frame, scalesOf } from './Frame';
import { placeLabels } from './labels';
import { paretoFront, stairs, type Trade } from './pareto';
import { padded, rangeOf, short } from './scale';

export interface Dot extends Trade {
  label: string;
  /** What it is compared with, such as the dense model. */
  reference?: boolean;
}

interface Props {
  dots: Dot[];
  sizeLabel: string;
  costLabel: string;
  height?: number;
  /** Whether more of the size is better, as of a speed. */
  moreIsBetter?: boolean;
}

/** Size against quality. The line joins those that no other beats in both. */
export function Scatter({ dots, sizeLabel, costLabel, height = 260, moreIsBetter = false }: Props) {
  const [box, width] = useWidth<HTMLDivElement>(420);
  const xs = padded(rangeOf(dots.map((dot) => dot.size)), 0.08);
  const ys = padded(rangeOf(dots.map((dot) => dot.cost)), 0.1);
  const { x, y } = scalesOf(width, height, xs, ys);
  const front = paretoFront(dots, moreIsBetter);
  const others = dots.filter((dot) => !front.includes(dot));
  const labels = placeLabels(
    [...front, ...others].map((dot) => ({ x: x(dot.size), y: y(dot.cost), label: dot.label })),
    width,
  );
  return (
    <figure className="plot scatter">
      <figcaption>
        <strong>{costLabel}</strong>
        <span className="hint">against {sizeLabel}; the line joins those that no other beats in both</span>
      </figcaption>
      <div ref={box}>
        <Frame
          width={width}
          height={height}
          xs={xs}
          ys={ys}
          label={`${costLabel} against ${sizeLabel} of ${dots.length}: ${dots
            .map((dot) => `${dot.label} ${short(dot.size)}, ${short(dot.cost)}`)
            .join('; ')}`}
        >
          <path
            className="curve front"
            d={stairs(front)
              .map((one, index) => `${index === 0 ? 'M' : 'L'}${x(one.size)} ${y(one.cost)}`)
              .join('')}
          />
          {dots.map((dot, index) => (
            <g key={index}>
              <circle
                className={`dot-mark ${dot.reference ? 'reference' : front.includes(dot) ? 'best' : ''}`}
                cx={x(dot.size)}
                cy={y(dot.cost)}
                r={5}
              >
                <title>{`${dot.label}: ${short(dot.size)} ${sizeLabel}, ${costLabel} ${short(dot.cost)}`}</title>
              </circle>
            </g>
          ))}
          {labels.map(
            (label, index) =>
              label && (
                <text key={index} x={label.x} y={label.y} textAnchor={label.anchor} className="dot-name">
                  {label.text}
                </text>
              ),
          )}
        </Frame>
      </div>
    </figure>
  );
}

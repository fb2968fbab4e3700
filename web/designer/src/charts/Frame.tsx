import type { ReactNode } from 'react';
import { scale, short, ticks, type Range } from './scale';

export const margin = { top: 8, right: 14, bottom: 22, left: 48 };

interface Scales {
  x: (value: number) => number;
  y: (value: number) => number;
}

export const scalesOf = (width: number, height: number, xs: Range, ys: Range): Scales => ({
  x: scale(xs, margin.left, Math.max(margin.left + 10, width - margin.right)),
  y: scale(ys, height - margin.bottom, margin.top),
});

interface Props {
  width: number;
  height: number;
  xs: Range;
  ys: Range;
  label: string;
  children: ReactNode;
  formatX?: (value: number) => string;
}

/** The axes of a plot with round numbers, and the picture that is drawn into them. */
export function Frame({ width, height, xs, ys, label, children, formatX = short }: Props) {
  const { x, y } = scalesOf(width, height, xs, ys);
  return (
    <svg className="chart" width={width} height={height} role="img" aria-label={label}>
      {ticks(ys, Math.max(2, Math.round(height / 44))).map((tick) => (
        <g key={`y ${tick}`} transform={`translate(0 ${y(tick)})`}>
          <line x1={margin.left} x2={width - margin.right} />
          <text x={margin.left - 6} dy="0.35em" textAnchor="end">
            {short(tick)}
          </text>
        </g>
      ))}
      {ticks(xs, Math.max(2, Math.round(width / 90))).map((tick) => (
        <text key={`x ${tick}`} x={x(tick)} y={height - 6} textAnchor="middle">
          {formatX(tick)}
        </text>
      ))}
      {children}
    </svg>
  );
}

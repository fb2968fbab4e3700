import type { Spread } from './results';

/** How many times as fast, with the slowest and the fastest round. */
export function SpeedRatio({ spread }: { spread: Spread | null | undefined }) {
  if (!spread) return '–';
  return (
    <span className="speed-ratio">
      {spread.median.toFixed(2)}×
      <span className="hint">
        {spread.lowest.toFixed(2)}–{spread.highest.toFixed(2)}
      </span>
    </span>
  );
}

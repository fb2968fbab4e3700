import { describe, expect, it } from 'vitest';
import { rangeOf, scale, short, thinned, ticks } from './scale';

describe('a range', () => {
  it('holds all values, and leaves out what is no number', () =>
    expect(rangeOf([3, NaN, -1, Infinity])).toEqual({ from: -1, to: 3 }));
  it('begins at zero where it must', () => expect(rangeOf([4, 9], true)).toEqual({ from: 0, to: 9 }));
  it('of one value has room around it', () => {
    expect(rangeOf([5])).toEqual({ from: 4.5, to: 5.5 });
    expect(rangeOf([0, 0])).toEqual({ from: -1, to: 1 });
  });
  it('of nothing can still be drawn', () => expect(rangeOf([])).toEqual({ from: 0, to: 1 }));
});

describe('ticks', () => {
  it('are round', () => {
    expect(ticks({ from: 0, to: 10 })).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticks({ from: 2.31, to: 5.49 }, 4)).toEqual([3, 4, 5]);
    expect(ticks({ from: 0, to: 0.3 }, 3)).toEqual([0, 0.1, 0.2, 0.3]);
  });
  it('stay within their range', () => {
    for (const range of [
      { from: -7, to: 1300 },
      { from: 1e-6, to: 3e-6 },
      { from: 99.5, to: 100.5 },
    ])
      for (const tick of ticks(range)) {
        expect(tick).toBeGreaterThanOrEqual(range.from);
        expect(tick).toBeLessThanOrEqual(range.to);
      }
  });
});

it('maps a value onto pixels, upwards too', () => {
  const y = scale({ from: 0, to: 4 }, 100, 0);
  expect([y(0), y(1), y(4)]).toEqual([100, 75, 0]);
});

it.each([
  [0.04213, '0.04213'],
  [812, '812'],
  [9512, '9512'],
  [12_500, '12.5k'],
  [3_212_000, '3.21M'],
  [1_100_000_000, '1.1G'],
])('writes %d as %s', (value, text) => expect(short(value)).toBe(text));

it('thins a curve without losing its peak', () => {
  const curve = Array.from({ length: 5000 }, (_, step) => ({ step, value: step === 3333 ? 99 : Math.sin(step) }));
  const thin = thinned(curve, 200);
  expect(thin.length).toBeLessThanOrEqual(200);
  expect(thin.some((point) => point.value === 99)).toBe(true);
  expect(thin.map((point) => point.step)).toEqual(thin.map((point) => point.step).sort((a, b) => a - b));
});

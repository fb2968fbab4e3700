import { expect, it } from 'vitest';
import { paretoFront, stairs } from './pareto';

const of = (size: number, cost: number) => ({ size, cost });

it('keeps what nothing beats in both, the smallest first', () =>
  expect(paretoFront([of(10, 20), of(5, 30), of(8, 40), of(10, 25), of(7, 30)])).toEqual([of(5, 30), of(10, 20)]));

it('keeps one of two that are equal', () => expect(paretoFront([of(1, 1), of(1, 1)])).toHaveLength(1));

it('leaves out what has no measure', () => expect(paretoFront([of(1, NaN), of(2, 3)])).toEqual([of(2, 3)]));

it('is drawn as stairs', () => expect(stairs([of(5, 30), of(10, 20)])).toEqual([of(5, 30), of(10, 30), of(10, 20)]));

it('is of the fastest where more is better', () => {
  const front = paretoFront([of(1, 20), of(3, 40), of(2, 30), of(1.5, 35), of(3, 45)], true);
  expect(front).toEqual([of(3, 40), of(2, 30), of(1, 20)]);
  expect(stairs(front)).toEqual([of(3, 40), of(2, 40), of(2, 30), of(1, 30), of(1, 20)]);
});

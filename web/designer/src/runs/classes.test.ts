import { describe, expect, it } from 'vitest';
import { classTables, surety, worst } from './classes';
import type { Run } from './scores';

const scores = (right: number[], confidences: Record<string, number>[] = []) => ({
  protocol: 'accuracy-1:images=c',
  top1: 0.5,
  calibrationError: 0.1,
  classes: right.map((one, index) => ({ name: `c${index}`, images: index === 2 ? 0 : 10, right: one, said: one })),
  confidences,
});

const run: Run = {
  stages: [
    { id: 'dense', outputs: { measurement: { protocol: 'accuracy-1:images=c', accuracy: 0.5 }, scores: scores([9, 5, 0]) } },
    {
      id: 'pruned',
      outputs: {
        scores: scores(
          [8, 1, 0],
          [
            { images: 0, right: 0 },
            { images: 5, right: 2, confidence: 0.6 },
            { images: 15, right: 12, confidence: 0.9 },
          ],
        ),
      },
    },
    { id: 'waits', outputs: null },
  ],
};

describe('classes', () => {
  it('stand in one table for all models of a protocol', () => {
    const [table, ...others] = classTables(run);
    expect(others).toEqual([]);
    expect(table!.models).toEqual(['dense', 'pruned']);
    expect(table!.rows).toEqual([
      { name: 'c0', images: 10, shares: [0.9, 0.8] },
      { name: 'c1', images: 10, shares: [0.5, 0.1] },
      { name: 'c2', images: 0, shares: [undefined, undefined] },
    ]);
  });

  it('are the worst where they are many, in their own order', () => {
    const [table] = classTables(run);
    expect(worst(table!, 3)).toHaveLength(3);
    expect(worst(table!, 2).map(({ name }) => name)).toEqual(['c0', 'c1']);
    expect(worst(table!, 1).map(({ name }) => name)).toEqual(['c1']);
  });
});

describe('reliability', () => {
  it('is there where confidences were kept', () => {
    const [table] = classTables(run);
    expect(table!.reliability).toHaveLength(1);
    const [pruned] = table!.reliability;
    expect(pruned!.model).toBe('pruned');
    expect(pruned!.bins).toEqual([
      { confidence: 0.6, accuracy: 0.4, share: 0.25 },
      { confidence: 0.9, accuracy: 0.8, share: 0.75 },
    ]);
    // 5 · 0.6 + 15 · 0.9 of 20 expected, 14 right.
    expect(pruned!.surplus).toBeCloseTo(2.5 / 20);
  });

  it.each([
    [0.125, 'surer than it is right, by 12.5 points'],
    [-0.02, 'less sure than it is right, by 2.0 points'],
    [0.0001, 'as sure as it is right'],
  ])('says what a surplus of %d means', (surplus, text) =>
    expect(surety({ model: 'm', calibrationError: 0, surplus, bins: [] })).toBe(text),
  );
});

import { describe, expect, it } from 'vitest';
import { isPerLayer, keptOf, plotsOf } from './metrics';

const point = (name: string, step: number, value: number) => ({ name, step, value });
const training = { kind: 'model.train', progress: { done: 3, total: 3, unit: 'step' } };
const pruning = { kind: 'prune.flap', progress: { done: 2, total: 2, unit: 'block' } };

describe('the figures of a stage', () => {
  it('are curves where a step is a step, one for each attempt', () => {
    const [loss, speed] = plotsOf(training, [
      { attempt: 2, points: [point('loss', 3, 2), point('loss', 2, 3), point('tokens/s', 2, 800)] },
      { attempt: 1, points: [point('loss', 1, 4), point('loss', 2, 3.5)] },
    ]);
    expect(loss).toMatchObject({ name: 'loss', shape: 'line' });
    expect(loss!.series.map((one) => [one.name, one.old ?? false, one.points.map((at) => at.step)])).toEqual([
      ['attempt 1', true, [1, 2]],
      ['attempt 2', false, [2, 3]],
    ]);
    expect(speed!.series).toHaveLength(1);
  });

  it('are bars where a step is a layer, each layer once', () => {
    const [groups] = plotsOf(pruning, [
      { attempt: 1, points: [point('KV groups', 1, 4)] },
      { attempt: 2, points: [point('KV groups', 1, 3), point('KV groups', 2, 2)] },
    ]);
    expect(groups).toEqual({
      name: 'KV groups',
      shape: 'bars',
      series: [
        {
          name: 'KV groups',
          points: [
            { step: 1, value: 3 },
            { step: 2, value: 2 },
          ],
        },
      ],
    });
  });

  it('are told apart by name where the unit is not known any more', () => {
    expect(isPerLayer({ kind: 'prune.wanda' }, 'sparsity')).toBe(true);
    expect(isPerLayer({ kind: 'prune.gates' }, 'loss')).toBe(false);
    expect(isPerLayer({ kind: 'model.train' }, 'loss')).toBe(false);
  });

  it('leave out what is no number', () =>
    expect(
      plotsOf(training, [{ attempt: 1, points: [point('loss', 1, NaN), point('loss', 2, 1)] }])[0]!.series[0]!.points,
    ).toEqual([{ step: 2, value: 1 }]));
});

it('says how much of each layer was kept', () => {
  const plots = plotsOf(pruning, [
    {
      attempt: 1,
      points: [point('sparsity', 1, 0.25), point('neurons', 1, 60), point('sparsity', 2, 0.5), point('neurons', 2, 30)],
    },
  ]);
  expect(keptOf(plots)).toEqual([
    { name: 'weights', shares: [0.75, 0.5] },
    { name: 'neurons', shares: [1, 0.5], counts: [60, 30] },
  ]);
});

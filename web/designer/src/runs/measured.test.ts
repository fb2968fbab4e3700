import { describe, expect, it } from 'vitest';
import { measured } from './measured';

const figures = (perplexity: number) => ({ perplexity, parameters: 1000, nonzero: 500, bytes: 2000 });
const measurement = (perplexity: number) => ({ protocol: 'p', ...figures(perplexity) });
const comparison = (pruned: number) => ({ protocol: 'p', dense: figures(20), pruned: figures(pruned) });
const labels = (stages: Parameters<typeof measured>[0]['stages']) =>
  measured({ outputs: {}, stages }).map(({ label, mark }) => [label, mark]);

describe('the models that a run measured', () => {
  it('are called by the values of their branch', () =>
    expect(
      labels([
        { id: 'dense', outputs: { measurement: measurement(20) } },
        { id: 'sweep.1.measure', outputs: { measurement: measurement(30) }, variables: { sparsity: 0.3 } },
        { id: 'sweep.2.measure', outputs: { measurement: measurement(40) }, variables: { sparsity: 0.5 } },
      ]),
    ).toEqual([
      ['dense', undefined],
      ['sparsity 0.3', '0.3'],
      ['sparsity 0.5', '0.5'],
    ]));

  it('are told apart where a branch measures several', () =>
    expect(
      labels([
        { id: 'sweep.1.pruned', outputs: { measurement: measurement(30) }, variables: { sparsity: 0.3 } },
        { id: 'sweep.1.recovered', outputs: { measurement: measurement(25) }, variables: { sparsity: 0.3 } },
      ]),
    ).toEqual([
      ['sweep/pruned (sparsity 0.3)', '0.3 pruned'],
      ['sweep/recovered (sparsity 0.3)', '0.3 recovered'],
    ]));

  it('are called by their stages where nothing tells the values', () =>
    expect(
      labels([
        { id: 'sweep.1.measure', outputs: { measurement: measurement(30) } },
        { id: 'sweep.2.measure', outputs: { measurement: measurement(40) } },
      ]),
    ).toEqual([
      ['sweep.1.measure', undefined],
      ['sweep.2.measure', undefined],
    ]));

  it('are those of the report of each branch, with one dense model', () =>
    expect(
      labels([
        { id: 'sweep.1.report', outputs: { report: comparison(30) }, variables: { sparsity: 0.3 } },
        { id: 'sweep.2.report', outputs: { report: comparison(40) }, variables: { sparsity: 0.5 } },
      ]),
    ).toEqual([
      ['dense', undefined],
      ['pruned (sparsity 0.3)', '0.3 pruned'],
      ['pruned (sparsity 0.5)', '0.5 pruned'],
    ]));
});

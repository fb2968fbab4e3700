import { describe, expect, it } from 'vitest';
import type { ComparedRun } from '../api';
import { artifactRows, dotsOf, metricRows, parameterRows, protocolsOf, timeRows } from './compared';

const figures = (perplexity: number, nonzero: number) => ({ perplexity, parameters: 1000, nonzero, bytes: 2000 });
const run = (id: string, more: Partial<ComparedRun>): ComparedRun => ({
  id,
  name: 'quickstart',
  state: 'succeeded',
  created: '2026-01-01T00:00:00Z',
  seconds: 60,
  parameters: {},
  outputs: {},
  stages: [],
  ...more,
});
const stage = (id: string, seconds: number, reused = false) => ({
  id,
  kind: 'k',
  state: 'succeeded' as const,
  seconds,
  reused,
});
const report = (pruned: number) => ({ protocol: 'p1', dense: figures(20, 1000), pruned: figures(pruned, 500) });

describe('runs side by side', () => {
  it('show the parameters that differ first, and one that is missing as such', () =>
    expect(
      parameterRows([
        run('a', { parameters: { seed: 0, sparsity: 0.5 } }),
        run('b', { parameters: { seed: 0, sparsity: 0.7, steps: 3 } }),
      ]),
    ).toEqual([
      { name: 'sparsity', cells: ['0.5', '0.7'], differs: true, contrast: true },
      { name: 'steps', cells: ['–', '3'], differs: true, contrast: false },
      { name: 'seed', cells: ['0', '0'], differs: false, contrast: false },
    ]));

  it('add up the branches of a matrix', () => {
    const rows = timeRows([
      run('a', { stages: [stage('sweep.1.prune', 10), stage('sweep.2.prune', 20)] }),
      run('b', { stages: [stage('sweep.1.prune', 0, true), stage('sweep.2.prune', 0, true)] }),
    ]);
    expect(rows.map((one) => [one.name, ...one.cells])).toEqual([
      ['the whole run', '1 min', '1 min'],
      ['sweep/prune', '30 s', 'reused'],
    ]);
  });

  it('set the same model of each beside each other', () =>
    expect(
      metricRows([run('a', { outputs: { report: report(30) } }), run('b', { outputs: { report: report(40) } })]).find(
        (one) => one.name === 'pruned: perplexity',
      ),
    ).toEqual({ name: 'pruned: perplexity', cells: ['30', '40'], differs: true, contrast: true }));

  it('are one picture, in which the same dense model is there once', () =>
    expect(
      dotsOf([run('a', { outputs: { report: report(30) } }), run('b', { outputs: { report: report(40) } })], 'nonzero'),
    ).toEqual([
      { label: 'dense', size: 1000, cost: 20, reference: true },
      { label: 'A pruned', size: 500, cost: 30 },
      { label: 'B pruned', size: 500, cost: 40 },
    ]));

  it('take the measurements of stages where there is no report', () => {
    const measurement = { protocol: 'p2', ...figures(25, 300) };
    const one = run('a', { stages: [{ ...stage('evaluate', 1), outputs: { measurement } }] });
    expect(dotsOf([one], 'nonzero')).toEqual([{ label: 'evaluate', size: 300, cost: 25 }]);
    expect(protocolsOf([one, run('b', { outputs: { report: report(30) } })])).toEqual(['p2', 'p1']);
  });

  it('tell whether they made the same artifact', () => {
    const made = (letter: string) => ({ outputs: { checkpoint: { hash: letter.repeat(64) } } });
    const rows = (a: string, b: string) =>
      artifactRows([run('a', made(a)), run('b', made(b))]).map((one) => one.differs);
    expect(rows('a', 'a')).toEqual([false]);
    expect(rows('a', 'b')).toEqual([true]);
  });
});

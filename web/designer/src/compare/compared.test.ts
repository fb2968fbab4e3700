import { describe, expect, it } from 'vitest';
import type { ComparedRun } from '../api';
import {
  artifactRows,
  dotsOf,
  hasBranches,
  metricRows,
  parameterRows,
  protocolsOf,
  sizesOf,
  timeRows,
} from './compared';

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

  it('show the branches by themselves when asked, the same values beside each other', () => {
    const branch = (id: string, seconds: number, sparsity: number) => ({
      ...stage(id, seconds),
      variables: { sparsity },
    });
    const runs = [
      run('a', { stages: [branch('sweep.1.prune', 10, 0.3), branch('sweep.2.prune', 20, 0.5)] }),
      run('b', { stages: [branch('sweep.1.prune', 30, 0.5), stage('report', 1)] }),
    ];
    expect(hasBranches(runs)).toBe(true);
    expect(timeRows(runs, true).map((one) => [one.name, ...one.cells])).toEqual([
      ['the whole run', '1 min', '1 min'],
      ['sweep/prune (sparsity 0.3)', '10 s', '–'],
      ['sweep/prune (sparsity 0.5)', '20 s', '30 s'],
      ['report', '–', '1.0 s'],
    ]);
  });

  it('show branches whose values are not told by their numbers', () =>
    expect(timeRows([run('a', { stages: [stage('sweep.1.prune', 10)] })], true)[1]!.name).toBe('sweep.1.prune'));

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

  it('count size in whatever was measured', () => {
    const flops = { protocol: 'p2', ...figures(25, 300), flops: 7 };
    const one = run('a', { stages: [{ ...stage('evaluate', 1), outputs: { measurement: flops } }] });
    expect(sizesOf([run('b', { outputs: { report: report(30) } })]).map(({ key }) => key)).not.toContain('flops');
    expect(sizesOf([one]).map(({ key }) => key)).toContain('flops');
    expect(dotsOf([one, run('b', { outputs: { report: report(30) } })], 'flops')).toEqual([
      { label: 'A evaluate', size: 7, cost: 25 },
    ]);
  });

  it('tell whether they made the same artifact', () => {
    const made = (letter: string) => ({ outputs: { checkpoint: { hash: letter.repeat(64) } } });
    const rows = (a: string, b: string) =>
      artifactRows([run('a', made(a)), run('b', made(b))]).map((one) => one.differs);
    expect(rows('a', 'a')).toEqual([false]);
    expect(rows('a', 'b')).toEqual([true]);
  });
});

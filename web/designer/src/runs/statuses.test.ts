import { describe, expect, it } from 'vitest';
import type { StageView } from '../api';
import { nodeOf, remaining, statusesOf } from './statuses';

const stage = (id: string, state: StageView['state'], more: Partial<StageView> = {}): StageView => ({
  id,
  kind: 'prune.wanda',
  state,
  attempt: 1,
  reused: false,
  ...more,
});

describe('the states of a run', () => {
  it('are those of the stage, with its worker and progress', () => {
    const { prune } = statusesOf([
      stage('prune', 'running', {
        worker: 'w1',
        device: 'cuda:1',
        progress: { done: 3, total: 12, unit: 'blocks' },
        seconds: 30,
      }),
    ]);
    expect(prune).toMatchObject({
      state: 'running',
      progress: 0.25,
      worker: 'w1',
      device: 'cuda:1',
      text: '3 of 12 blocks',
      count: 1,
    });
  });

  it('gather the branches of a matrix on one node, and on the group', () => {
    const statuses = statusesOf([
      stage('sweep/prune[sparsity=0.3]', 'succeeded', { seconds: 2 }),
      stage('sweep/prune[sparsity=0.5]', 'running', { seconds: 3 }),
      stage('sweep/prune[sparsity=0.7]', 'waiting'),
    ]);
    expect(Object.keys(statuses)).toEqual(['sweep/prune', 'sweep']);
    expect(statuses['sweep']).toMatchObject({ state: 'running', count: 3, done: 1, seconds: 5 });
  });

  it('show a failure before all else', () =>
    expect(statusesOf([stage('a[1]', 'running'), stage('a[2]', 'failed', { error: 'no space' })])['a']).toMatchObject({
      state: 'failed',
      error: 'no space',
    }));

  it('know what belongs to which node', () => expect(nodeOf('loop#3/prune[s=0.5]')).toBe('loop/prune'));

  it('say how long a stage still takes only where that can be known', () => {
    expect(remaining(stage('a', 'running', { seconds: 10, progress: { done: 1, total: 4, unit: 'steps' } }))).toBe(30);
    expect(remaining(stage('a', 'running', { seconds: 10 }))).toBeUndefined();
    expect(
      remaining(stage('a', 'succeeded', { seconds: 10, progress: { done: 4, total: 4, unit: 'steps' } })),
    ).toBeUndefined();
  });
});

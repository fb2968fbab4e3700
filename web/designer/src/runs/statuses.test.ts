import { describe, expect, it } from 'vitest';
import type { StageView } from '../api';
import { sweep } from '../fixtures/documents';
import { remaining, statusesOf } from './statuses';

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
      stage('sweep.1.prune', 'succeeded', { seconds: 2 }),
      stage('sweep.2.prune', 'running', { seconds: 3 }),
      stage('sweep.3.prune', 'waiting'),
    ]);
    expect(Object.keys(statuses)).toEqual(['sweep/prune', 'sweep']);
    expect(statuses['sweep']).toMatchObject({
      state: 'running',
      count: 3,
      done: 1,
      unit: 'branches',
      seconds: 5,
    });
  });

  it('show a failure before all else', () =>
    expect(statusesOf([stage('a.1', 'running'), stage('a.2', 'failed', { error: 'no space' })])['a']).toMatchObject({
      state: 'failed',
      error: 'no space',
    }));

  it('count a branch as done when all of its stages are', () => {
    const { sweep: group } = statusesOf([
      stage('sweep.1.prune', 'succeeded'),
      stage('sweep.1.evaluate', 'skipped'),
      stage('sweep.2.prune', 'succeeded'),
      stage('sweep.2.evaluate', 'running'),
    ]);
    expect(group).toMatchObject({ count: 2, done: 1, unit: 'branches' });
  });

  it('call the turns of a repetition rounds', () => {
    const looping = {
      ...sweep,
      stages: sweep.stages.map((one) =>
        one.id === 'sweep' ? { ...one, matrix: undefined, repeat: { times: 3 } } : one,
      ),
    };
    expect(statusesOf([stage('sweep.1.prune', 'running')], looping)['sweep']).toMatchObject({ unit: 'rounds' });
  });

  it('of one branch are shown inside of its group, those of all on the group', () => {
    const stages = [stage('sweep.1.prune', 'failed'), stage('sweep.2.prune', 'succeeded'), stage('train', 'succeeded')];
    const statuses = statusesOf(stages, sweep, { sweep: 'sweep.2' });
    expect(statuses['sweep/prune']).toMatchObject({ state: 'succeeded', count: 1 });
    expect(statuses['sweep']).toMatchObject({ state: 'failed', count: 2 });
    expect(statuses['train']).toMatchObject({ state: 'succeeded' });
  });

  it('say how long a stage still takes only where that can be known', () => {
    expect(remaining(stage('a', 'running', { seconds: 10, progress: { done: 1, total: 4, unit: 'steps' } }))).toBe(30);
    expect(remaining(stage('a', 'running', { seconds: 10 }))).toBeUndefined();
    expect(
      remaining(stage('a', 'succeeded', { seconds: 10, progress: { done: 4, total: 4, unit: 'steps' } })),
    ).toBeUndefined();
  });
});

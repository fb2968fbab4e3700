import { describe, expect, it } from 'vitest';
import { branchedNodes, branchesOf, branchOf, isShown, nameOf, nodeOf } from './branches';

const ids = (...all: string[]) => all.map((id) => ({ id }));

describe('the ids of a run', () => {
  it.each([
    ['prune', 'prune'],
    ['prune.2', 'prune'],
    ['sweep.2.prune', 'sweep/prune'],
    ['group.prune', 'group/prune'],
    ['sweep.2.rounds.3.train', 'sweep/rounds/train'],
    ['sweep.2.1.prune', 'sweep/prune'],
    ['llama-2.prune', 'llama-2/prune'],
  ])('belong to a node of the canvas: %s to %s', (id, node) => expect(nodeOf(id)).toBe(node));

  it('say which branch a stage stands in', () => {
    expect(branchOf('sweep.2.prune', 'sweep')).toBe('sweep.2');
    expect(branchOf('sweep.2.rounds.3.train', 'sweep')).toBe('sweep.2');
    expect(branchOf('sweep.2.rounds.3.train', 'sweep/rounds')).toBe('sweep.2.rounds.3');
    expect(branchOf('sweep.2.prune', 'sweep/prune')).toBeUndefined();
    expect(branchOf('prune.4', 'prune')).toBe('prune.4');
    expect(branchOf('other.2.prune', 'sweep')).toBeUndefined();
  });
});

describe('branches', () => {
  it('are listed once, with the values of their matrix', () =>
    expect(
      branchesOf(
        [
          { id: 'sweep.1.prune', variables: { sparsity: 0.3 } },
          { id: 'sweep.1.evaluate', variables: { sparsity: 0.3 } },
          { id: 'sweep.2.prune', variables: { sparsity: 0.5 } },
          { id: 'train' },
        ],
        'sweep',
      ),
    ).toEqual([
      { id: 'sweep.1', label: '1: sparsity 0.3' },
      { id: 'sweep.2', label: '2: sparsity 0.5' },
    ]));

  it('are called by their number where there are only rounds', () =>
    expect(branchesOf([{ id: 'loop.3.train', variables: { round: 3, rounds: 5 } }], 'loop')).toEqual([
      { id: 'loop.3', label: '3' },
    ]));

  it('are found at every depth, the outer ones first', () =>
    expect(branchedNodes(ids('a', 'sweep.1.loop.2.train', 'prune.1'))).toEqual(['sweep', 'prune', 'sweep/loop']));

  it('hide the stages of the others, and nothing outside', () => {
    const shown = (id: string) => isShown(id, { sweep: 'sweep.2' });
    expect(['train', 'sweep.1.prune', 'sweep.2.prune', 'prune.1'].filter(shown)).toEqual([
      'train',
      'sweep.2.prune',
      'prune.1',
    ]);
  });
});

describe('the name of several stages', () => {
  const all = ids('train', 'sweep.1.prune', 'sweep.1.test', 'sweep.2.prune', 'sweep.2.test', 'sweeper');
  const named = (...some: string[]) => nameOf(all, ids(...some));
  it('is that of the one, of the branch, of the group', () => {
    expect(named('sweep.2.prune')).toBe('sweep.2.prune');
    expect(named('sweep.2.prune', 'sweep.2.test')).toBe('sweep.2');
    expect(named('sweep.1.prune', 'sweep.1.test', 'sweep.2.prune', 'sweep.2.test')).toBe('sweep');
  });
  it('is none where they are no whole', () => {
    expect(named('sweep.1.prune', 'sweep.2.prune')).toBeUndefined();
    expect(named()).toBeUndefined();
  });
});

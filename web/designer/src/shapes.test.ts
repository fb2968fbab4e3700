import { expect, it } from 'vitest';
import { comparedOf, lineageOf } from './shapes';

it('times a compared run by its beginning and its end', () => {
  const run = {
    id: 'a',
    name: 'n',
    state: 'succeeded' as const,
    created: '2026-01-01T00:00:00Z',
    parameters: {},
    outputs: {},
    stages: [],
  };
  expect(comparedOf({ ...run, finished: '2026-01-01T00:01:30Z' })).toEqual({ ...run, seconds: 90 });
  expect(comparedOf(run).seconds).toBeNull();
});

it('makes a graph of listed artifacts and stages', () =>
  expect(
    lineageOf({
      artifacts: [{ hash: `sha256:${'a'.repeat(64)}`, here: false }],
      stages: [{ id: 'r/train', run: 'r', workflow: 'w', stage: 'train', kind: 'model.train' }],
      edges: [{ from: 'r/train', to: `sha256:${'a'.repeat(64)}` }],
      truncated: true,
    }),
  ).toMatchObject({
    nodes: [
      { kind: 'artifact', label: 'aaaaaaaaaa (collected)' },
      { kind: 'stage', label: 'train' },
    ],
    truncated: true,
  }));

import { expect, it } from 'vitest';
import { artifactOf, comparedOf, lineageOf } from './shapes';

it('counts the bytes of an artifact', () =>
  expect(artifactOf({ hash: 'h', size: 12, files: [], madeBy: [] })).toEqual({
    hash: 'h',
    bytes: 12,
    files: [],
    madeBy: [],
  }));

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
  expect(comparedOf([{ ...run, finished: '2026-01-01T00:01:30Z' }]).runs).toEqual([{ ...run, seconds: 90 }]);
  expect(comparedOf({ runs: [run] }).runs[0]!.seconds).toBeNull();
});

it('makes a graph of listed artifacts and stages', () =>
  expect(
    lineageOf({
      artifacts: [{ hash: `sha256:${'a'.repeat(64)}`, here: false }],
      stages: [{ id: 'r/train', run: 'r', stage: 'train', kind: 'model.train' }],
      edges: [{ from: 'r/train', to: `sha256:${'a'.repeat(64)}` }],
    }).nodes.map((node) => [node.kind, node.label]),
  ).toEqual([
    ['artifact', 'aaaaaaaaaa (collected)'],
    ['stage', 'train'],
  ]));

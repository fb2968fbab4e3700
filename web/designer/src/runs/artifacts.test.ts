import { expect, it } from 'vitest';
import { artifactsIn, artifactsOf } from './artifacts';

const hash = (letter: string) => letter.repeat(64);

it('finds what has a hash, however deep, and nothing else', () => {
  expect(artifactsIn({ hash: hash('a'), bytes: 12, manifest: false }, 'checkpoint')).toEqual([
    { hash: hash('a'), name: 'checkpoint', bytes: 12 },
  ]);
  expect(
    artifactsIn([{ value: { hash: hash('a') }, variables: {} }, { value: { hash: hash('b') } }], 'models'),
  ).toEqual([
    { hash: hash('a'), name: 'models 1' },
    { hash: hash('b'), name: 'models 2' },
  ]);
  expect(artifactsIn({ protocol: 'wikitext', perplexity: 3, hash: 'no' }, 'x')).toEqual([]);
});

it('names an artifact by the output of the run before that of a stage, once', () => {
  const stage = { kind: 'k', state: 'succeeded', attempt: 1, reused: false } as const;
  expect(
    artifactsOf({
      outputs: { checkpoint: { hash: hash('b') } },
      stages: [
        { ...stage, id: 'train', outputs: { model: { hash: hash('a') } } },
        { ...stage, id: 'export', outputs: { export: { hash: hash('b') } } },
      ],
    }).map(({ name }) => name),
  ).toEqual(['checkpoint', 'train.model']);
});

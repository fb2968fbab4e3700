import { expect, it } from 'vitest';
import { placeLabels } from './labels';

it('leaves out a name that would cover one before it', () => {
  const [first, covering, below] = placeLabels(
    [
      { x: 50, y: 50, label: 'wanda 0.5' },
      { x: 60, y: 54, label: 'magnitude 0.5' },
      { x: 60, y: 80, label: 'magnitude 0.7' },
    ],
    400,
  );
  expect(first).toMatchObject({ text: 'wanda 0.5', anchor: 'start' });
  expect(covering).toBeUndefined();
  expect(below).toBeDefined();
});

it('puts a name on the left where there is no room on the right', () =>
  expect(placeLabels([{ x: 380, y: 50, label: 'dense' }], 400)[0]).toMatchObject({ anchor: 'end', x: 371 }));

it('shortens a long name', () =>
  expect(placeLabels([{ x: 0, y: 0, label: 'x'.repeat(60) }], 400)[0]!.text).toHaveLength(26));

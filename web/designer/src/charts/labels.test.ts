import { expect, it } from 'vitest';
import { placeLabels } from './labels';

it('goes below where a name before it stands, and is left out where there is no room at all', () => {
  const [first, below, covering] = placeLabels(
    [
      { x: 50, y: 50, label: 'wanda 0.5' },
      { x: 56, y: 54, label: 'magnitude 0.5' },
      { x: 53, y: 52, label: 'sparsegpt 0.5' },
    ],
    400,
  );
  expect(first).toMatchObject({ text: 'wanda 0.5', anchor: 'start', y: 43 });
  expect(below).toMatchObject({ anchor: 'start', y: 69 });
  expect(covering).toBeUndefined();
});

it('covers no other point', () => {
  const [first] = placeLabels(
    [
      { x: 200, y: 50, label: 'modegpt 0.5' },
      { x: 230, y: 40, label: 'flap 0.5' },
    ],
    400,
  );
  expect(first).toMatchObject({ anchor: 'end', y: 43 });
});

it('puts a name on the left where there is no room on the right', () =>
  expect(placeLabels([{ x: 380, y: 50, label: 'dense' }], 400)[0]).toMatchObject({ anchor: 'end', x: 371 }));

it('shortens a long name', () =>
  expect(placeLabels([{ x: 0, y: 0, label: 'x'.repeat(60) }], 400)[0]!.text).toHaveLength(26));

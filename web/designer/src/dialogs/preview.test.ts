import { expect, it } from 'vitest';
import { countsOf, wordOf } from './preview';

it('counts what cannot be said as to be computed', () =>
  expect(
    countsOf([
      { id: 'a', reused: true },
      { id: 'b', reused: false },
      { id: 'c', reused: null },
      { id: 'd', reused: false, skipped: true },
    ]),
  ).toEqual({ computed: 2, reused: 1, open: 1 }));

it('says it of each', () =>
  expect([true, false, null].map((reused) => wordOf({ reused }))).toEqual(['reused', 'computed', 'not known yet']));

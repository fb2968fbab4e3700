import { expect, it } from 'vitest';
import { duration, shortHash, size, until } from './format';

it.each([
  [4.25, '4.3 s'],
  [59, '59 s'],
  [60, '1 min'],
  [119.7, '2 min'],
  [95, '1 min 35 s'],
  [7325, '2 h 2 min'],
])('writes %d seconds as %s', (seconds, text) => expect(duration(seconds)).toBe(text));

it.each([
  [0, '0 B'],
  [812, '812 B'],
  [6_424_000, '6.42 MB'],
  [14e9, '14 GB'],
])('writes %d bytes as %s', (bytes, text) => expect(size(bytes)).toBe(text));

it('says how long until a time', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(until('2026-01-01T05:00:00Z', now)).toBe('in 5 h');
  expect(until('2026-01-01T00:01:00Z', now)).toBe('in 60 s');
  expect(until('2025-12-31T00:00:00Z', now)).toBe('now');
});

it('shortens a hash, with and without its kind', () => {
  expect(shortHash('sha256:0123456789abcdef')).toBe('0123456789');
  expect(shortHash('0123456789abcdef')).toBe('0123456789');
});

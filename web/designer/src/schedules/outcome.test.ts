import { describe, expect, it } from 'vitest';
import { inZone, isLate, outcomeOf, partsOf } from './outcome';

describe('what became of a time', () => {
  it.each([
    [{ outcome: 'started', state: 'succeeded', reused: false }, 'succeeded', 'succeeded'],
    [{ outcome: 'started', state: 'succeeded', reused: true }, 'nothing new', 'succeeded'],
    [{ outcome: 'started', state: 'failed', reused: false }, 'failed', 'failed'],
    [{ outcome: 'skipped', reused: false }, 'skipped', 'blocked'],
    [{ outcome: 'failed', reused: false }, 'failed', 'failed'],
    [{ outcome: 'queued', reused: false }, 'queued', 'running'],
  ] as const)('%o is %s', (fire, word, state) => expect(outcomeOf(fire)).toEqual({ word, state }));
});

it('writes a time in the zone of its schedule', () => {
  expect(inZone('2026-07-01T00:30:00Z', 'Europe/Berlin')).toBe('Wed, 1 Jul 2026, 02:30');
  expect(inZone('2026-07-01T00:30:00Z', 'Nowhere/Atall')).toContain('00:30 UTC');
});

it('knows a time that nobody decided', () => {
  const now = Date.parse('2026-01-01T00:05:00Z');
  expect(isLate({ next: ['2026-01-01T00:00:00Z'] }, now)).toBe(true);
  expect(isLate({ next: ['2026-01-01T00:04:30Z'] }, now)).toBe(false);
  expect(isLate({ next: ['2026-01-01T00:00:00Z'], pausedAt: '2025-01-01T00:00:00Z' }, now)).toBe(false);
  expect(isLate({ next: [] }, now)).toBe(false);
});

it('takes a cron apart', () => expect(partsOf('  */5 2   * * 1 ')).toEqual(['*/5', '2', '*', '*', '1']));

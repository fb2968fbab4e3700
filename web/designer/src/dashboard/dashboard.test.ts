import { expect, it } from 'vitest';
import type { DashboardItem, Schedule, Severity } from '../api';
import { headline, progressOf, soonest, sorted } from './dashboard';

const item = (severity: Severity, text = ''): DashboardItem => ({ about: 'runs', severity, text });

it('says in a sentence whether anything is wrong', () => {
  expect(headline({ severity: 'ok', items: [item('ok')] })).toBe('Nothing is wrong');
  expect(headline({ severity: 'error', items: [item('error'), item('warning'), item('warning')] })).toBe(
    '1 thing is wrong, 2 to look at',
  );
  expect(headline({ severity: 'warning', items: [] })).toBe('Something to look at');
});

it('puts the worst first and keeps the order otherwise', () =>
  expect(
    sorted([item('ok', 'a'), item('warning', 'b'), item('error', 'c'), item('warning', 'd')]).map((one) => one.text),
  ).toEqual(['c', 'b', 'd', 'a']));

it('lists what comes next, without what is paused', () => {
  const schedule = (name: string, next: string[], pausedAt?: string) =>
    ({ name, next, ...(pausedAt ? { pausedAt } : {}) }) as Schedule;
  expect(
    soonest(
      [
        schedule('later', ['2026-01-02T00:00:00Z']),
        schedule('paused', ['2026-01-01T00:00:00Z'], '2025-12-01T00:00:00Z'),
        schedule('soon', ['2026-01-01T12:00:00Z']),
        schedule('never', []),
      ],
      5,
    ).map((one) => one.name),
  ).toEqual(['soon', 'later']);
});

it('counts a skipped stage as done', () =>
  expect(progressOf({ succeeded: 3, skipped: 1, running: 2, waiting: 4 })).toEqual({ done: 4, all: 10 }));

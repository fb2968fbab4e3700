import { describe, expect, it } from 'vitest';
import type { StageView } from '../api';
import { spansOf, ticksOf } from './spans';

const created = '2026-03-01T12:00:00Z';
const at = (seconds: number) => new Date(Date.parse(created) + seconds * 1000).toISOString();
const stage = (id: string, more: Partial<StageView>): StageView => ({
  id,
  kind: 'k',
  state: 'succeeded',
  attempt: 1,
  reused: false,
  ...more,
});

describe('the timeline', () => {
  it('begins with what began first, and leaves out what has not begun', () => {
    const stages = [
      stage('late', { started: at(30), seconds: 5 }),
      stage('early', { started: at(2), seconds: 20 }),
      stage('waiting', { state: 'waiting', attempt: 0 }),
    ];
    expect(
      spansOf({ created, stages }, Date.parse(at(60))).map((span) => [span.stage.id, span.from, span.seconds]),
    ).toEqual([
      ['early', 2, 20],
      ['late', 30, 5],
    ]);
  });

  it('draws what runs until now', () =>
    expect(
      spansOf({ created, stages: [stage('a', { state: 'running', started: at(10), seconds: 3 })] }, Date.parse(at(25))),
    ).toMatchObject([{ from: 10, seconds: 15 }]));

  it('does not begin before its run, whatever the clocks say', () =>
    expect(spansOf({ created, stages: [stage('a', { started: at(-4), seconds: 1 })] }, 0)).toMatchObject([
      { from: 0 },
    ]));

  it('has few and round times', () => {
    expect(ticksOf(100)).toEqual([0, 30, 60, 90]);
    expect(ticksOf(86400 * 30).length).toBeLessThan(9);
  });
});

/** Schedules in words. */
import type { Fire, MissedPolicy, OverlapPolicy, Schedule } from '../api';

export const missedWords: Record<MissedPolicy, string> = {
  skip: 'leave them out',
  once: 'make up for them with one run',
  all: 'make up for every one',
};

export const overlapWords: Record<OverlapPolicy, string> = {
  skip: 'leave the new one out',
  queue: 'start the new one when it has ended',
  cancel: 'cancel it and start the new one',
  allow: 'let both run',
};

/** What became of a time, in a word and as a colour. */
export function outcomeOf(fire: Pick<Fire, 'outcome' | 'state' | 'reused'>): { word: string; state: string } {
  if (fire.outcome !== 'started')
    return {
      word: fire.outcome,
      state: fire.outcome === 'failed' ? 'failed' : fire.outcome === 'queued' ? 'running' : 'blocked',
    };
  if (fire.state === 'succeeded' && fire.reused) return { word: 'nothing new', state: 'succeeded' };
  return { word: fire.state ?? 'started', state: fire.state ?? '' };
}

/** A time in the zone of its schedule, with its weekday: a schedule is read as it was meant. */
export function inZone(time: string, zone: string): string {
  const form: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  };
  try {
    return new Intl.DateTimeFormat('en-GB', { ...form, timeZone: zone }).format(new Date(time));
  } catch {
    return new Intl.DateTimeFormat('en-GB', { ...form, timeZone: 'UTC' }).format(new Date(time)) + ' UTC';
  }
}

/** Whether its next time has passed for more than a minute: then nobody is there who decides it. */
export const isLate = (schedule: Pick<Schedule, 'next' | 'pausedAt'>, now: number): boolean =>
  !schedule.pausedAt && schedule.next[0] !== undefined && now - Date.parse(schedule.next[0]) > 60_000;

/** The five fields of a cron, as they stand. */
export const partsOf = (cron: string): string[] => cron.trim().split(/\s+/).filter(Boolean);
export const partNames = ['minute', 'hour', 'day of the month', 'month', 'weekday'];

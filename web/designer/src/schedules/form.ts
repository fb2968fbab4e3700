/** What the dialog of a schedule holds, and what of it is sent. */
import type { MissedPolicy, OverlapPolicy, Schedule, SchedulePlan } from '../api';
import type { Json } from '../graph/document';

export interface ScheduleForm {
  name: string;
  /** Absent: a document of its own, or for a new one the first workflow of the list. */
  definition?: string;
  /** Absent: the latest at each time. */
  version?: number;
  values: Record<string, Json>;
  cron: string;
  zone: string;
  missed: MissedPolicy;
  overlap: OverlapPolicy;
}

export const presets = [
  ['every night', '30 2 * * *'],
  ['weekdays', '0 6 * * 1-5'],
  ['every week', '0 4 * * 1'],
  ['every month', '0 3 1 * *'],
  ['every hour', '0 * * * *'],
] as const;

/** As a schedule is, or as a new one begins. */
export const formOf = (schedule: Schedule | undefined): ScheduleForm =>
  schedule
    ? {
        name: schedule.name,
        definition: schedule.definition,
        version: schedule.version,
        values: schedule.parameters,
        cron: schedule.cron,
        zone: schedule.zone,
        missed: schedule.missed,
        overlap: schedule.overlap,
      }
    : {
        name: '',
        values: {},
        cron: presets[0][1],
        zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC',
        missed: 'once',
        overlap: 'skip',
      };

export function nameFault(name: string, taken: string[]): string | undefined {
  if (name === '') return undefined;
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(name))
    return "a letter, then letters, digits, '-', '_' and '.', 64 at most";
  return taken.includes(name) ? `there is a schedule '${name}' already` : undefined;
}

/** Values of parameters that the workflow does not have, or has no more. */
export const strays = (values: Record<string, Json>, parameters: Record<string, unknown> | undefined): string[] =>
  parameters ? Object.keys(values).filter((name) => !(name in parameters)) : [];

/**
 * What is sent: without the values that the workflow has no place for. What is left out of a change stays, so a schedule that
 * carries a document of its own keeps it, and its values, unless a published workflow takes its place.
 */
export function planOf(
  form: ScheduleForm,
  definition: string | undefined,
  parameters?: Record<string, unknown>,
): SchedulePlan {
  const { cron, zone, missed, overlap, version } = form;
  const when = { cron, zone, missed, overlap };
  if (definition === undefined) return when;
  const left = strays(form.values, parameters);
  return {
    ...when,
    definition,
    ...(version === undefined ? {} : { version }),
    parameters: Object.fromEntries(Object.entries(form.values).filter(([name]) => !left.includes(name))),
  };
}

/** The dashboard in a sentence and an order. */
import type { Dashboard, DashboardItem, RunSummary, Schedule, Severity } from '../api';

const order: Severity[] = ['error', 'warning', 'ok'];

/** The worst first; those of one severity stay as the server has them. */
export const sorted = (items: DashboardItem[]): DashboardItem[] =>
  [...items].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));

export function headline({ severity, items }: Pick<Dashboard, 'severity' | 'items'>): string {
  const of = (one: Severity) => items.filter((item) => item.severity === one).length;
  const [errors, warnings] = [of('error'), of('warning')];
  if (severity === 'ok') return 'Nothing is wrong';
  const parts = [
    ...(errors > 0 ? [`${errors} ${errors === 1 ? 'thing is' : 'things are'} wrong`] : []),
    ...(warnings > 0 ? [`${warnings} to look at`] : []),
  ];
  return parts.join(', ') || (severity === 'error' ? 'Something is wrong' : 'Something to look at');
}

/** The schedules that fire next, the soonest first. */
export const soonest = (schedules: Schedule[], most: number): Schedule[] =>
  schedules
    .filter((one) => !one.pausedAt && one.next.length > 0)
    .sort((a, b) => Date.parse(a.next[0]!) - Date.parse(b.next[0]!))
    .slice(0, most);

/** How many stages of a run need nothing any more. */
export const progressOf = (counts: RunSummary['counts']): { done: number; all: number } => ({
  done: (counts.succeeded ?? 0) + (counts.skipped ?? 0),
  all: Object.values(counts).reduce((sum, count) => sum + count, 0),
});

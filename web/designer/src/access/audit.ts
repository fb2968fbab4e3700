/** The audit log in words. */
import type { AuditLine } from '../api';
import { linkTo } from '../hooks/useRoute';

/** What was done, by method and route, to the thing in the place of `{}`; and where it is shown. */
const deeds: Record<string, [done: string, page?: string]> = {
  'POST /api/session': ['log in'],
  'DELETE /api/session': ['log out'],
  'POST /api/tokens': ['make a token'],
  'DELETE /api/tokens/{}': ['revoke the token'],
  'POST /api/runs': ['start a run'],
  'POST /api/runs/{}/cancel': ['cancel the run', 'runs'],
  'POST /api/runs/{}/reset': ['resume or run again', 'runs'],
  'PUT /api/definitions/{}': ['save the draft of', 'designer'],
  'DELETE /api/definitions/{}': ['delete the workflow'],
  'POST /api/definitions/{}/publish': ['publish', 'designer'],
  'POST /api/artifacts/uploads': ['begin an upload'],
  'POST /api/artifacts/uploads/{}/commit': ['end the upload'],
  'DELETE /api/artifacts/uploads/{}': ['give up the upload'],
  'DELETE /api/artifacts/{}': ['take away the artifact', 'artifacts'],
  'POST /api/gc': ['collect garbage'],
  'POST /api/schedules': ['add a schedule'],
  'PUT /api/schedules/{}': ['change the schedule', 'schedules'],
  'DELETE /api/schedules/{}': ['delete the schedule'],
  'POST /api/schedules/{}/pause': ['pause the schedule', 'schedules'],
  'POST /api/schedules/{}/resume': ['resume the schedule', 'schedules'],
  'POST /api/schedules/{}/trigger': ['start the schedule now', 'schedules'],
  'POST /api/workers/{}/drain': ['drain the worker', 'workers'],
};

interface Deed {
  /** A verb and what it was done to; the request itself where no words are known. */
  done: string;
  thing?: string;
  link?: string;
}

export function deedOf({ action, target }: Pick<AuditLine, 'action' | 'target'>): Deed {
  const [done, page] = deeds[action] ?? [];
  if (done === undefined) return { done: `${action.split(' ')[0]} ${target}` };
  const place = action.split(' ')[1]!.split('/').indexOf('{}');
  const part = place < 0 ? undefined : target.split('/')[place];
  if (part === undefined) return { done };
  const thing = decoded(part);
  // The workers have one page together.
  return {
    done,
    thing,
    ...(page === undefined ? {} : { link: page === 'workers' ? linkTo(page) : linkTo(page, thing) }),
  };
}

// The log cuts a path that is very long.
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** How a request ended, in a word and as a colour. */
export function resultOf(status: number): { word: string; state: string } {
  if (status < 400) return { word: 'done', state: 'succeeded' };
  if (status === 401 || status === 403 || status === 421) return { word: 'refused', state: 'blocked' };
  if (status === 404) return { word: 'not there', state: 'blocked' };
  if (status === 409 || status === 412) return { word: 'conflict', state: 'blocked' };
  if (status === 429) return { word: 'too many', state: 'blocked' };
  return status < 500 ? { word: 'faulty', state: 'blocked' } : { word: 'failed', state: 'failed' };
}

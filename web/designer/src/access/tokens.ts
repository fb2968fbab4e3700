/** Tokens in words and in order. */
import type { Role, Token } from '../api';

export const roles: [Role, string][] = [
  ['viewer', 'look, check a workflow, preview a run'],
  ['operator', 'also start and cancel runs; save and publish workflows'],
  ['admin', 'also delete workflows; schedules, workers, tokens, the audit log'],
];

/** As the server reads durations. */
export const lifetimes = [
  ['', 'never'],
  ['7d', 'in a week'],
  ['30d', 'in 30 days'],
  ['90d', 'in 90 days'],
  ['365d', 'in a year'],
] as const;

export const standOf = ({ revoked, expires }: Token, now: number): 'valid' | 'expired' | 'revoked' =>
  revoked ? 'revoked' : expires && Date.parse(expires) <= now ? 'expired' : 'valid';

/** Those that count before those that do not any more, each the newest first. */
export const ordered = (tokens: Token[], now: number): Token[] =>
  [...tokens].sort(
    (a, b) =>
      Number(standOf(a, now) !== 'valid') - Number(standOf(b, now) !== 'valid') ||
      Date.parse(b.created) - Date.parse(a.created),
  );

/** As the server wants a name; whether it is taken the server says, since revoked ones may come again. */
export const nameFault = (name: string): string | undefined =>
  name === '' || /^[A-Za-z0-9._@-]{1,64}$/.test(name)
    ? undefined
    : "letters, digits, '-', '_', '.' and '@', 64 at most";

import { describe, expect, it } from 'vitest';
import type { Token } from '../api';
import { deedOf, resultOf } from './audit';
import { nameFault, ordered, standOf } from './tokens';

describe('the audit log', () => {
  it('says what was done to what, with a link to it', () => {
    expect(deedOf({ action: 'POST /api/runs/{}/cancel', target: '/api/runs/0197/cancel' })).toEqual({
      done: 'cancel the run',
      thing: '0197',
      link: '#/runs/0197',
    });
    expect(deedOf({ action: 'PUT /api/definitions/{}', target: '/api/definitions/a%20b' })).toEqual({
      done: 'save the draft of',
      thing: 'a b',
      link: '#/designer/a%20b',
    });
    expect(deedOf({ action: 'POST /api/runs', target: '/api/runs' })).toEqual({ done: 'start a run' });
  });

  it('shows the request itself where it has no words for it', () =>
    expect(deedOf({ action: 'PUT /api/things/{}', target: '/api/things/1' })).toEqual({ done: 'PUT /api/things/1' }));

  it('takes a path as it is when it was cut', () =>
    expect(deedOf({ action: 'DELETE /api/tokens/{}', target: '/api/tokens/a%2' }).thing).toBe('a%2'));

  it.each([
    [204, 'done', 'succeeded'],
    [403, 'refused', 'blocked'],
    [409, 'conflict', 'blocked'],
    [422, 'faulty', 'blocked'],
    [503, 'failed', 'failed'],
  ])('calls the answer %d %s', (status, word, state) => expect(resultOf(status)).toEqual({ word, state }));
});

describe('tokens', () => {
  const now = Date.parse('2026-06-01T00:00:00Z');
  const token = (name: string, more: Partial<Token> = {}): Token => ({
    name,
    role: 'viewer',
    created: '2026-01-01T00:00:00Z',
    ...more,
  });

  it('stand until they expire or are revoked', () => {
    expect(standOf(token('a'), now)).toBe('valid');
    expect(standOf(token('a', { expires: '2026-05-01T00:00:00Z' }), now)).toBe('expired');
    expect(standOf(token('a', { revoked: '2026-02-01T00:00:00Z', expires: '2026-05-01T00:00:00Z' }), now)).toBe(
      'revoked',
    );
  });

  it('are listed with those that count first', () =>
    expect(
      ordered(
        [
          token('old'),
          token('gone', { revoked: '2026-02-01T00:00:00Z' }),
          token('new', { created: '2026-03-01T00:00:00Z' }),
        ],
        now,
      ).map(({ name }) => name),
    ).toEqual(['new', 'old', 'gone']));

  it('are called as the server wants it', () => {
    expect(nameFault('kim@lab-2')).toBeUndefined();
    expect(nameFault('kim lab')).toBeDefined();
  });
});

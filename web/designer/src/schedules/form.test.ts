import { describe, expect, it } from 'vitest';
import type { Schedule } from '../api';
import { formOf, nameFault, planOf, strays } from './form';

const schedule: Schedule = {
  name: 'nightly',
  workflow: 'prune',
  definition: 'prune',
  version: 3,
  cron: '0 2 * * *',
  zone: 'Europe/Berlin',
  missed: 'all',
  overlap: 'queue',
  parameters: { sparsity: 0.5, gone: 1 },
  created: '2026-01-01T00:00:00Z',
  next: [],
};

describe('a schedule that is changed', () => {
  const form = formOf(schedule);

  it('is sent as it was, but for what was changed', () =>
    expect(planOf({ ...form, cron: '0 3 * * *' }, 'prune', { sparsity: {}, gone: {} })).toEqual({
      cron: '0 3 * * *',
      zone: 'Europe/Berlin',
      missed: 'all',
      overlap: 'queue',
      definition: 'prune',
      version: 3,
      parameters: { sparsity: 0.5, gone: 1 },
    }));

  it('leaves out values that its workflow has no place for', () => {
    expect(strays(form.values, { sparsity: {} })).toEqual(['gone']);
    expect(planOf(form, 'prune', { sparsity: {} }).parameters).toEqual({ sparsity: 0.5 });
    expect(planOf(form, 'prune', {}).parameters).toEqual({});
  });

  it('keeps all of them while the workflow is not known', () => expect(strays(form.values, undefined)).toEqual([]));

  it('keeps a document of its own, and its values', () =>
    expect(planOf(form, undefined)).toEqual({
      cron: '0 2 * * *',
      zone: 'Europe/Berlin',
      missed: 'all',
      overlap: 'queue',
    }));

  it('may follow the latest version again', () =>
    expect(planOf({ ...form, version: undefined }, 'prune', undefined)).not.toHaveProperty('version'));
});

it.each([
  ['', undefined],
  ['every-night', undefined],
  ['9to5', "a letter, then letters, digits, '-', '_' and '.', 64 at most"],
  ['nightly', "there is a schedule 'nightly' already"],
])('a new one called %o: %s', (name, fault) => expect(nameFault(name, ['nightly'])).toBe(fault));

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { calmly } from './calmly';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const counted = (answer: () => Promise<void>) => {
  let calls = 0;
  const calm = calmly(() => (calls++, answer()), 300);
  return { calm, calls: () => calls };
};

it('calls once more for all who wished while it was under way', async () => {
  const { calm, calls } = counted(() => Promise.resolve());
  for (let wish = 0; wish < 200; wish++) calm.soon();
  expect(calls()).toBe(1);
  await vi.advanceTimersByTimeAsync(299);
  expect(calls()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls()).toBe(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls()).toBe(2);
});

it('answers nothing, as an effect must', () => {
  const { calm } = counted(() => Promise.resolve());
  expect([calm.soon(), calm.soon()]).toEqual([undefined, undefined]);
});

it('goes on after a call that fails', async () => {
  const { calm, calls } = counted(() => Promise.reject(new Error('no')));
  calm.soon();
  calm.soon();
  await vi.advanceTimersByTimeAsync(300);
  expect(calls()).toBe(2);
});

it('goes on after a call that never ends', async () => {
  const { calm, calls } = counted(() => new Promise(() => undefined));
  calm.soon();
  calm.soon();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(calls()).toBe(2);
});

it('does not wait when it must not, and calls nothing after it was stopped', async () => {
  const { calm, calls } = counted(() => Promise.resolve());
  calm.soon();
  calm.now();
  expect(calls()).toBe(2);
  calm.soon();
  calm.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls()).toBe(2);
});

import { expect, it } from 'vitest';
import { heard, onReturn } from './reach';

it('says once that the server came back, and not that it went', () => {
  let returns = 0;
  const stop = onReturn(() => returns++);
  heard('away');
  heard('away');
  expect(returns).toBe(0);
  heard('there');
  heard('there');
  expect(returns).toBe(1);
  stop();
  heard('away');
  heard('there');
  expect(returns).toBe(1);
});

import { expect, test } from 'vitest';
import { mapAhead } from './map-ahead.js';

const numbers = Array.from({ length: 100 }, (_, i) => i);

test('keeps the order and never begins more than asked for', async () => {
  let running = 0;
  let most = 0;
  const results: number[] = [];
  const map = async (n: number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, (n * 7) % 5));
    running--;
    return n;
  };
  for await (const result of mapAhead(numbers, 4, map)) results.push(result);
  expect(results).toEqual(numbers);
  expect(most).toBe(4);
});

test('a failure comes when its turn comes', async () => {
  const results: number[] = [];
  const failing = async () => {
    for await (const n of mapAhead(numbers, 4, async (n) => (n === 5 ? Promise.reject(new Error('5')) : n)))
      results.push(n);
  };
  await expect(failing).rejects.toThrow('5');
  expect(results).toEqual([0, 1, 2, 3, 4]);
});

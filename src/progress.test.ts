import { afterEach, describe, expect, test, vi } from 'vitest';
import { inChunks, startProgress, yieldToEventLoop } from './progress.js';
import type { TrainEvent } from './train/events.js';

const compute = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

afterEach(() => vi.unstubAllGlobals());

describe('yieldToEventLoop', () => {
  // A browser has no setImmediate.
  test.each(['Node', 'a browser'])('lets a timer fire after a while of computing, in %s', async (where) => {
    if (where === 'a browser') vi.stubGlobal('setImmediate', undefined);
    let fired = false;
    setTimeout(() => {
      fired = true;
    });
    for (let i = 0; i < 20 && !fired; i++) {
      compute(10);
      await yieldToEventLoop();
    }
    expect(fired).toBe(true);
  });

  test('turns the event loop no more often than is needed', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const started = performance.now();
    for (let i = 0; i < 2000; i++) await yieldToEventLoop();
    clearInterval(timer);
    expect(turns).toBeLessThanOrEqual(2 + (performance.now() - started) / 50);
  });
});

test('a pass in parts tells what is done and how long the rest takes, and stops where it is asked to', async () => {
  const parts: number[][] = [];
  const events: TrainEvent[] = [];
  const controller = new AbortController();
  const progress = startProgress(
    { emit: (event) => events.push(event), signal: controller.signal },
    'a pass',
    10,
  );
  const work = (from: number, to: number) => {
    parts.push([from, to]);
    if (to > 7) controller.abort();
  };
  await expect(inChunks(10, 4, work, progress)).rejects.toMatchObject({
    code: 'interrupted',
    message: 'a pass: stopped after 8 images.',
  });
  expect(parts).toEqual([
    [0, 4],
    [4, 8],
  ]);
  expect(events).toMatchObject([
    { type: 'pass', title: 'a pass', done: 4, total: 10 },
    { type: 'pass', title: 'a pass', done: 8, total: 10 },
  ]);
});

test('things that are larger than a part are worked on one by one', async () => {
  const parts: number[][] = [];
  await inChunks(
    3,
    0.2,
    (from, to) => void parts.push([from, to]),
    async () => {},
  );
  expect(parts).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
});

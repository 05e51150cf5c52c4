import { beforeAll, expect, test } from 'vitest';
import { tinyPictures, tinySettings } from '../../test/support/tiny-run.js';
import type { DataSource } from '../data/dataset.js';
import { parseBudget } from '../recipes/plan/budget-time.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RunEvent } from '../store/run-event.js';
import { settingsWithin } from './fit-budget.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

const pictures = tinyPictures('pictures', 200);
const data: DataSource = { train: pictures, test: undefined, origin: 'made for this test', checksums: {} };
/** Pretraining has a step and the classification of a batch to be measured. */
const graphs = 2;

/** The real kernels, of which the first so many programs are held up by something else at each run. */
function busyFor(programs: number): Runtime & { readonly compiled: number } {
  let compiled = 0;
  return {
    device: runtime.device,
    version: runtime.version,
    load: (model) => runtime.load(model),
    get compiled() {
      return compiled;
    },
    async compile(graph) {
      const program = await runtime.compile(graph);
      const waitMs = compiled++ < programs ? 120 : 0;
      const run: typeof program.run = async (...args) => {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        return program.run(...args);
      };
      return { ...program, run, release: () => program.release() };
    },
  };
}

async function fitted(on: Runtime, budgetMs: number) {
  const events: RunEvent[] = [];
  const emit = (event: RunEvent) => events.push(event);
  const context = { settings: { ...tinySettings, draws: 1 }, data, runtime: on, emit };
  const settings = await settingsWithin(context, { budgetMs, stages: ['pretrain'], spentMs: () => 0 });
  return { settings, events };
}

test('a machine that is busy for a moment is looked at again before a budget is refused', async () => {
  // 50 steps of 120 ms and more are 6 s, beside what every run takes.
  const busy = busyFor(graphs);
  const { settings, events } = await fitted(busy, 7500);
  expect(busy.compiled).toBeGreaterThanOrEqual(2 * graphs);
  const { epochs, stepsPerEpoch } = settings.pretrain;
  // 50 but for what makes no whole epochs.
  expect(epochs * stepsPerEpoch!).toBeGreaterThan(50 - epochs);
  expect(events.map(({ type }) => type)).toEqual(['measuring', 'budget-fitted']);
});

test('a budget that is too small whenever one looks is refused by the fastest look', async () => {
  const slow = busyFor(Number.POSITIVE_INFINITY);
  const refused = fitted(slow, 5000);
  await expect(refused).rejects.toThrow('--budget: expected at least');
  const { message } = (await refused.catch((error: Error) => error as Error)) as Error;
  expect(parseBudget(/at least (\S+)/.exec(message)![1]!)).toBeGreaterThan(9000);
  expect(slow.compiled).toBeGreaterThan(graphs);
  expect(slow.compiled).toBeLessThanOrEqual(3 * graphs);
});

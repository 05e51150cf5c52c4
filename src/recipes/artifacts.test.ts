import { beforeAll, describe, expect, it } from 'vitest';
import { tinyPictures, tinySettings } from '../../test/support/tiny-run.js';
import type { DataSource } from '../data/dataset.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import { isRecord } from '../store/json.js';
import type { RunEvent } from '../store/run-event.js';
import { run } from './run.js';
import type { RunSettings } from './settings.js';
import { allStages } from './stages/registry.js';

const stages = ['scratch', 'baseline'];
// Of a single label a class none is held back: what is taken over is known sooner.
const settings: RunSettings = { ...tinySettings, draws: 1, labelsPerClass: 1, selfTrain: null };
const data: DataSource = {
  train: tinyPictures('train', 200),
  test: tinyPictures('test', 60),
  origin: 'made for this test',
  checksums: { images: '1' },
};
/** The stages, one of them by another version of this package. */
const withVersion = (name: string, version: number) =>
  allStages.map((stage) => (stage.name === name ? { ...stage, version } : stage));

let runtime: Runtime;
let first: MemoryStore;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  first = new MemoryStore('first');
  await run({ settings, data, runtime, store: first }, { stages });
});

/** Which stages a run takes over from the first one, and which it trains. */
async function reusedBy(change: { settings?: RunSettings; data?: DataSource; registry?: typeof allStages }) {
  const store = new MemoryStore('second');
  const events: RunEvent[] = [];
  const emit = (event: RunEvent) => events.push(event);
  const { registry, ...changed } = change;
  await run({ settings, data, ...changed, runtime, store, emit }, { stages, registry, reuse: [first] });
  const reused = events.flatMap((e) => (e.type === 'stage-reused' ? [`${e.stage} ${e.draw}`] : []));
  const trained = new Set(events.flatMap((e) => (e.type === 'step' ? [e.stage] : [])));
  return { reused, trained: [...trained], store };
}

/** The same, with the fields of each object in the opposite order. */
const reversed = (value: unknown): unknown =>
  isRecord(value)
    ? Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, inner]) => [name, reversed(inner)]),
      )
    : value;

const everything = ['scratch 0', 'baseline 0'];
const given = (label: string) => ({
  data: null,
  images: [0, 1, 2, 3].map((index) => ({ index, label: index === 0 ? label : null })),
});

describe('a finished stage', () => {
  it('is taken over with its records where all is the same, and nothing is trained', async () => {
    const { reused, trained, store } = await reusedBy({});
    expect({ reused, trained }).toEqual({ reused: everything, trained: [] });
    expect(await store.readEpochs()).toEqual(await first.readEpochs());
    // A budget puts settings together in another order than reading them back does.
    const backwards = reversed(settings) as RunSettings;
    expect(JSON.stringify(backwards)).not.toBe(JSON.stringify(settings));
    expect((await reusedBy({ settings: backwards })).reused).toEqual(everything);
    for (const name of stages) {
      expect((await store.loadCheckpoint(name))?.tensors).toEqual(
        (await first.loadCheckpoint(name))?.tensors,
      );
    }
  });

  it('is taken over where further draws of the labels are added', async () => {
    const { reused, trained } = await reusedBy({ settings: { ...settings, draws: 2 } });
    expect({ reused, trained }).toEqual({ reused: everything, trained: stages });
  });

  it.each<[string, Parameters<typeof reusedBy>[0], string[]]>([
    ['another seed', { settings: { ...settings, seed: 13 } }, []],
    [
      'a setting of another stage',
      { settings: { ...settings, pretrain: { ...settings.pretrain, epochs: 9 } } },
      everything,
    ],
    [
      'a setting of its own',
      { settings: { ...settings, baseline: { ...settings.baseline, epochs: 3 } } },
      ['scratch 0'],
    ],
    ['other data', { data: { ...data, checksums: { images: '2' } } }, []],
    ['data of which nothing says what it is', { data: { ...data, checksums: {} } }, []],
    ['other labels', { settings: { ...settings, labels: given('edge') } }, []],
    ['another version of its code', { registry: withVersion('baseline', 2) }, ['scratch 0']],
  ])('with %s fits as it should', async (_, change, expected) => {
    const { reused, trained } = await reusedBy(change);
    expect(reused).toEqual(expected);
    expect(trained).toEqual(stages.filter((name) => !expected.includes(`${name} 0`)));
  });

  it('is trained again in its own run where an older version of the code has trained it', async () => {
    const { store } = await reusedBy({ registry: withVersion('baseline', 0) });
    const outdated: RunEvent[] = [];
    const emit = (event: RunEvent) => {
      if (event.type === 'stage-outdated' || event.type === 'step') outdated.push(event);
    };
    await run({ settings, data, runtime, store, emit });
    expect(outdated[0]).toEqual({ type: 'stage-outdated', stage: 'baseline', draw: 0 });
    expect(new Set(outdated.flatMap((e) => (e.type === 'step' ? [e.stage] : [])))).toEqual(
      new Set(['baseline']),
    );
    outdated.length = 0;
    await run({ settings, data, runtime, store, emit });
    expect(outdated).toEqual([]);
  });

  it('without a fingerprint, of an earlier version, is gone on with in place and taken over nowhere', async () => {
    const { store } = await reusedBy({});
    await store.writeJson('artifacts', {});
    const types: string[] = [];
    await run({ settings, data, runtime, store, emit: ({ type }) => types.push(type) });
    expect(types).not.toContain('step');
    const reused: string[] = [];
    const emit = ({ type }: RunEvent) => {
      if (type === 'stage-reused') reused.push(type);
    };
    const third = new MemoryStore('third');
    await run({ settings, data, runtime, store: third, emit }, { stages: ['baseline'], reuse: [store] });
    expect(reused).toEqual([]);
  });
});

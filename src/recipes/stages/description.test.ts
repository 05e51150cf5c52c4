import { beforeAll, describe, expect, it } from 'vitest';
import { imagesInMemory, readRange, selectImages } from '../../data/image-source.js';
import type { Encoder } from '../../features/encoder.js';
import type { FrozenEncoder } from '../../features/onnx-encoder.js';
import { Random } from '../../random/random.js';
import { createNodeRuntime } from '../../runtime/node.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MemoryStore } from '../../store/checkpoint.js';
import type { RunEvent } from '../../store/run-event.js';
import { StageEvidence } from '../../store/stage-evidence.js';
import { tensor } from '../../tensor/tensor.js';
import { computeFeatures } from '../../train/evaluate.js';
import { freshWeights } from '../../train/train-step.js';
import { saveBackbone } from '../backbone.js';
import { networkFor, type RecipeContext } from '../context.js';
import { settingsFor } from '../presets.js';
import { rotationEncoder } from '../rotation-encoder.js';
import { bestDescribed, chooseDescription, type Description, descriptionsFor } from './description.js';

/** Noise of 28×28, dark, grey or bright: no edge tells the classes, brightness does. */
const [count, side, classes] = [600, 28, 3];
const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
const random = Random.seeded(3);
const pixels = Uint8Array.from(
  { length: count * side * side },
  (_, at) => 20 + 80 * (labels[Math.floor(at / side / side)] ?? 0) + random.integer(40),
);
const images = imagesInMemory({ name: 'noise', pixels, height: side, width: side, channels: 1 });
const train = { images, labels, classNames: ['dark', 'grey', 'bright'] };

/** A row that turns by a right angle from black to white. */
const byBrightness: Encoder = {
  name: 'brightness',
  title: 'brightness',
  dimensions: 2,
  fingerprint: 'brightness-1',
  async describe(images) {
    const { data } = await readRange(images, 0, images.count);
    const size = data.length / images.count;
    const rows = Float32Array.from({ length: 2 * images.count }, (_, at) => {
      const own = data.subarray(Math.floor(at / 2) * size, (Math.floor(at / 2) + 1) * size);
      const angle = ((own.reduce((sum, x) => sum + x, 0) / size / 255) * Math.PI) / 2;
      return at % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    });
    return tensor('float32', [images.count, 2], rows);
  },
  async release() {},
  async [Symbol.asyncDispose]() {},
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

function contextWith(labelsPerClass: number): RecipeContext & { readonly events: RunEvent[] } {
  const events: RunEvent[] = [];
  const emit = (event: RunEvent) => {
    if (event.type !== 'pass') events.push(event);
  };
  const settings = settingsFor('quick', { labelsPerClass });
  const store = new MemoryStore();
  return { settings, data: { train, origin: '', checksums: {} }, runtime, store, emit, events };
}

/** The descriptions that there are without an encoder and without a pretrained network, and brightness. */
async function withBrightness(context: RecipeContext): Promise<[Description, ...Description[]]> {
  const [gradients] = await descriptionsFor({ context, outcomeOf: () => undefined });
  return [gradients, { kind: 'encoder', encoder: byBrightness, mirrored: false }];
}

describe('the description that a pile is compared by', () => {
  it('is the one by which held-back labels are found again, and the same if it is asked again', async () => {
    const context = contextWith(10);
    const choice = await chooseDescription(context, 0, await withBrightness(context));
    expect(choice).toEqual({
      chosen: 'encoder',
      compared: [
        { kind: 'gradients', title: 'oriented gradients', found: expect.any(Number), of: 30 },
        { kind: 'encoder', title: 'brightness', found: 30, of: 30 },
      ],
    });
    expect(choice.compared[0]?.found).toBeLessThan(20);
    expect(context.events).toEqual([{ type: 'description-chosen', draw: 0, ...choice }]);
    expect(await chooseDescription(context, 0, await withBrightness(context))).toEqual(choice);
    // The usual one stays where it is the better one.
    const [gradients, brightness] = await withBrightness(context);
    const reversed = await chooseDescription(context, 0, [brightness as Description, gradients]);
    expect(reversed.chosen).toBe('encoder');
  });

  it('is the usual one, and nothing is compared, where no class has two labels or there is one alone', async () => {
    const single = contextWith(1);
    const nothing = { chosen: 'gradients', compared: [] };
    expect(await chooseDescription(single, 0, await withBrightness(single))).toEqual(nothing);
    const alone = contextWith(10);
    const [gradients] = await withBrightness(alone);
    expect(await chooseDescription(alone, 0, [gradients])).toEqual(nothing);
    expect([...single.events, ...alone.events]).toEqual([]);
  });

  it('is the usual one unless another is better by two standard errors on the same labels', () => {
    /** Of 100 labels the usual one alone finds so many, the other alone so many, and both find 40. */
    const pair = (usual: number, other: number) => {
      const each = (own: number, before: number) =>
        Array.from({ length: 100 }, (_, i) => i < 40 || (i >= 40 + before && i < 40 + before + own));
      return [
        { name: 'usual', found: 40 + usual, of: 100, each: each(usual, 0) },
        { name: 'other', found: 40 + other, of: 100, each: each(other, usual) },
      ];
    };
    // (16 − 6) / √(22 − 100/100) = 2.2; (15 − 6) / √(21 − 81/100) = 2.003; (14 − 6) / √(20 − 64/100) = 1.8.
    expect(bestDescribed(pair(6, 16)).name).toBe('other');
    expect(bestDescribed(pair(6, 15)).name).toBe('other');
    expect(bestDescribed(pair(6, 14)).name).toBe('usual');
    expect(bestDescribed(pair(0, 0)).name).toBe('usual');
  });

  it('may be an encoder that is given, before gradients, and a pretrained network, behind them', async () => {
    const context = contextWith(10);
    const outcomeOf = () => undefined;
    const kinds = async (given: RecipeContext) =>
      (await descriptionsFor({ context: given, outcomeOf })).map(({ kind }) => kind);
    expect(await kinds(context)).toEqual(['gradients']);
    const network = networkFor(context.settings.network, images, 4);
    await saveBackbone(context.store, freshWeights(network, Random.seeded(1)));
    expect(await kinds(context)).toEqual(['gradients', 'rotations']);
    const encoder = byBrightness as FrozenEncoder;
    expect(await kinds({ ...context, encoder })).toEqual(['encoder', 'gradients', 'rotations']);
  });

  it('is kept with the evidence, forgotten with its stage, and unknown in runs of earlier versions', async () => {
    const store = new MemoryStore();
    const ofDraw = { stage: 'selfTrain', draw: 0 };
    await store.writeJson('evidence', { answers: [], teachers: [{ ...ofDraw, teacher: 'neighbours' }] });
    const evidence = await StageEvidence.open(store);
    expect([evidence.teacherOf(ofDraw), evidence.descriptionOf(ofDraw)]).toEqual(['neighbours', undefined]);
    const compared = [{ kind: 'gradients', title: 'oriented gradients', found: 3, of: 4 }] as const;
    const choice = { chosen: 'gradients', compared } as const;
    await evidence.setDescription(ofDraw, choice);
    expect((await StageEvidence.open(store)).descriptionOf(ofDraw)).toEqual(choice);
    await evidence.forget('selfTrain', 0);
    expect((await StageEvidence.open(store)).descriptionOf(ofDraw)).toBeUndefined();
  });
});

describe('a pretrained network as a description', () => {
  it('gives the means of its first maps in cells, of length 1, whatever stands beside an image', async () => {
    const { settings, data } = contextWith(10);
    const network = networkFor(settings.network, images, 4);
    const weights = freshWeights(network, Random.seeded(1));
    const encoder = rotationEncoder({ settings, data, runtime }, weights);
    // 32 maps of 7×7, in cells of two positions a side but the third of one.
    expect(encoder.dimensions).toBe(32 * 16);
    const first = (n: number) =>
      selectImages(
        images,
        Uint32Array.from({ length: n }, (_, i) => i),
      );
    const many = (await encoder.describe(first(129))).data;
    for (const n of [1, 3, 128]) {
      expect((await encoder.describe(first(n))).data).toEqual(many.subarray(0, n * encoder.dimensions));
    }
    const maps = await computeFeatures(network, weights, 1, { title: '', images: first(129) }, { runtime });
    expect(maps.shape).toEqual([129, 32, 7, 7]);
    const borders = [0, 2, 4, 5, 7];
    const meansOf = (n: number) =>
      Array.from({ length: 512 }, (_, at) => {
        const [map, down, across] = [Math.floor(at / 16), Math.floor((at % 16) / 4), at % 4];
        const inCell: number[] = [];
        for (let y = borders[down] ?? 0; y < (borders[down + 1] ?? 0); y++) {
          for (let x = borders[across] ?? 0; x < (borders[across + 1] ?? 0); x++) {
            inCell.push(maps.data[((n * 32 + map) * 7 + y) * 7 + x] ?? Number.NaN);
          }
        }
        return inCell.reduce((sum, value) => sum + value, 0) / inCell.length;
      });
    for (const n of [0, 127, 128]) {
      const means = meansOf(n);
      const length = Math.hypot(...means);
      const row = many.subarray(512 * n, 512 * (n + 1));
      means.forEach((mean, at) => {
        expect(row[at]).toBeCloseTo(mean / length, 5);
      });
    }
  });
});

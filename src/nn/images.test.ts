import { beforeAll, describe, expect, it, test } from 'vitest';
import { interpret } from '../../test/support/interpreter.js';
import { expectClose } from '../../test/support/numeric.js';
import { imagesInMemory } from '../data/image-source.js';
import { graph, input } from '../graph/index.js';
import { exportClassifier } from '../model/export-model.js';
import { loadClassifier } from '../model/load-classifier.js';
import { sgd } from '../optim/sgd.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { scalar, sizeOf, tensor } from '../tensor/tensor.js';
import { buildClassifier } from '../train/forward.js';
import { flattenState } from '../train/state.js';
import { reestimateStatistics } from '../train/statistics.js';
import { buildTrainStep, freshWeights, initialState } from '../train/train-step.js';
import { imagesToMaps, type Normalisation } from './images.js';
import { createNetwork } from './network.js';

/** ImageNet's, which files of other libraries want. */
const normalisation = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

function imagesOf(count: number, channels = 3) {
  const random = Random.seeded(count);
  const shape = [count, 28, 28, channels];
  return tensor(
    'uint8',
    shape,
    Uint8Array.from({ length: sizeOf(shape) }, () => random.integer(256)),
  );
}

const sourceOf = (count: number) =>
  imagesInMemory({ name: 'images', height: 28, width: 28, channels: 3, pixels: imagesOf(count).data });

describe('pixels as maps', () => {
  test.each<[string, Normalisation | undefined, (pixel: number, channel: number) => number]>([
    ['by default', undefined, (p) => p / 255],
    ['scaled', { scale: 2 }, (p) => 2 * p],
    [
      'by mean and deviation',
      normalisation,
      (p, c) => (p / 255 - normalisation.mean[c]!) / normalisation.deviation[c]!,
    ],
    ['by mean alone', { scale: 1, mean: [100, 0, -5] }, (p, c) => p - [100, 0, -5][c]!],
    ['by deviation alone', { deviation: [0.5, 1, 4] }, (p, c) => p / 255 / [0.5, 1, 4][c]!],
  ])('%s', (_, settings, wanted) => {
    const images = imagesOf(3);
    const maps = imagesToMaps(input('images', 'uint8', [3, 28, 28, 3]), settings);
    const { y } = interpret(graph({ y: maps }), { images });
    const expected = Array.from({ length: 3 * 3 * 784 }, (_, i) => {
      const [n, c, at] = [Math.floor(i / (3 * 784)), Math.floor(i / 784) % 3, i % 784];
      return wanted(images.data[(n * 784 + at) * 3 + c]!, c);
    });
    expectClose(y!, { shape: [3, 3, 28, 28], data: expected }, { absolute: 2e-6, relative: 1e-6 }, 'maps');
  });

  test.each<[Normalisation, string]>([
    [
      { mean: [0.5] },
      'normalisation, mean: expected 3 finite numbers, one for each channel. Received: [0.5].',
    ],
    [
      { deviation: [1, 0, 1] },
      'normalisation, deviation: expected 3 numbers above 0, one for each channel. Received: [1, 0, 1].',
    ],
  ])('%j is refused', (settings, message) => {
    expect(() => imagesToMaps(input('images', 'uint8', [1, 28, 28, 3]), settings)).toThrow(message);
  });
});

describe('a network with a normalisation of its own', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });
  const image = { height: 28, width: 28, channels: 3 };
  const settings = { backbone: 'residual', width: 1 / 16, image } as const;
  const network = createNetwork({ ...settings, normalisation }, 4);
  const weights = freshWeights(network, Random.seeded(2));

  it('is trained as float64 does it', async () => {
    const step = {
      network,
      optimizer: sgd({ momentum: 0.9 }),
      batchSize: 3,
      frozenBlocks: 0,
      batch: 'images',
      batchNormMomentum: 0.9,
    } as const;
    const fed = {
      images: imagesOf(3),
      targets: tensor('int32', [3], Int32Array.of(0, 3, 1)),
      learningRate: scalar(0.05),
      ...flattenState(initialState(step, weights)),
    };
    const built = buildTrainStep(step);
    await using program = await runtime.compile(built);
    const out = await program.run(fed);
    for (const [name, wanted] of Object.entries(interpret(built, fed))) {
      const largest = Math.max(...wanted.data.map(Math.abs));
      const { shape, data } = out[name]!;
      expectClose({ shape, data: Array.from(data, Number) }, wanted, { absolute: 2e-5 * largest }, name);
    }
  });

  it('says the same when it is exported and loaded, and other things than without', async () => {
    const learned = await reestimateStatistics(network, weights, {
      ...{ images: sourceOf(64), runtime },
      batches: [Uint32Array.from({ length: 64 }, (_, i) => i)],
    });
    const bytes = exportClassifier({ network, weights: learned, classNames: ['a', 'b', 'c', 'd'] });
    await using classifier = await loadClassifier('model.onnx', bytes, { runtime });
    for (const count of [1, 3, 128]) {
      const images = imagesOf(count);
      const found = await classifier.classify(sourceOf(count));
      const graphOf = (of: typeof network) =>
        buildClassifier(of, learned, { batchSize: count, output: 'probabilities' });
      if (count < 128) {
        const wanted = interpret(graphOf(network), { images }).probabilities!;
        expectClose(found, wanted.data, { absolute: 1e-5 }, `${count} images`);
        const without = interpret(graphOf(createNetwork(settings, 4)), { images });
        expect(Math.abs(without.probabilities!.data[0]! - found[0]!)).toBeGreaterThan(1e-3);
      }
      await using program = await runtime.compile(graphOf(network));
      const same = (await program.run({ images })).probabilities!;
      expectClose(found, same.data as Float32Array, { absolute: 1e-5 }, `${count} images`);
    }
  });
});

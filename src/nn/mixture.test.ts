import { beforeAll, describe, expect, it } from 'vitest';
import { sampleClasses, sampleClassifier, sampleImages } from '../../test/support/sample-classifier.js';
import { imagesInMemory } from '../data/image-source.js';
import { exportClassifier } from '../model/export-model.js';
import { loadClassifier } from '../model/load-classifier.js';
import { probabilitiesAt } from '../model/temperature.js';
import { decodeWeights, encodeWeights } from '../model/weights-file.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { float32 } from '../tensor/tensor.js';
import { computeLogits, computeProbabilities } from '../train/evaluate.js';
import { headOf } from '../train/frozen-network.js';
import { mixtureOf, mixtureWeights, sharesIn } from './mixture.js';
import { summary } from './summary.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

describe.each([
  ['compact', [28, 28, 1]],
  ['residual', [64, 64, 3]],
] as const)('a mixture of two networks (%s, %j)', (backbone, size) => {
  const { network, weights } = sampleClassifier(backbone, size);
  // The second one is another network: what the first knows of a class, it knows of the next.
  const { kernel } = headOf(network, weights);
  const other = {
    ...weights,
    'head.kernel': float32(
      kernel.shape,
      kernel.data.map((x) => -x),
    ),
  };
  const members = {
    first: { weights, share: 0.3, temperature: 2 },
    second: { weights: other, share: 0.7, temperature: 0.5 },
  };
  const mixture = mixtureOf(network, ['first', 'second']);
  const mixed = mixtureWeights(mixture, members);
  const [height, width, channels] = size;
  const imagesOf = (count: number) =>
    imagesInMemory({ name: 'samples', pixels: sampleImages(count, size).data, height, width, channels });

  it.each([1, 3, 128])(
    'mixes the probabilities of its members for %i images, in the exported file, too',
    async (count) => {
      const images = imagesOf(count);
      const set = { title: 'samples', images };
      const probabilities = await Promise.all(
        Object.values(members).map(async (member) =>
          probabilitiesAt(
            await computeLogits(network, member.weights, set, { runtime }),
            network.classes,
            member.temperature,
          ),
        ),
      );
      const [first, second] = probabilities;
      const expected = Array.from(first ?? [], (p, i) => 0.3 * p + 0.7 * (second?.[i] ?? Number.NaN));
      const own = await computeProbabilities(mixture, mixed, set, { runtime });
      const file = exportClassifier({ network: mixture, weights: mixed, classNames: sampleClasses });
      await using classifier = await loadClassifier('mixture.onnx', file, { runtime });
      const fromFile = await classifier.classify(images);
      expected.forEach((p, i) => {
        expect(own[i]).toBeCloseTo(p, 4);
        expect(fromFile[i]).toBeCloseTo(p, 4);
      });
    },
  );

  it('is told apart from one network by its weights file, and counted in its layer table', () => {
    const read = decodeWeights(
      'w',
      encodeWeights({ network: mixture, weights: mixed, classNames: sampleClasses }),
    );
    expect(read.network.title).toBe(mixture.title);
    expect(read.weights).toEqual(mixed);
    expect(
      sharesIn(mixture, read.weights).map(({ share, temperature }) => [share.toFixed(3), temperature]),
    ).toEqual([
      ['0.300', 2],
      ['0.700', 0.5],
    ]);
    expect(summary(mixture).totalParams).toBe(2 * summary(network).totalParams + 4);
  });
});

describe('the tensors of a mixture', () => {
  it('are those of every member', () => {
    const { network } = sampleClassifier('compact', [28, 28, 1]);
    expect(() => mixtureWeights(mixtureOf(network, ['first']), {})).toThrow('mixture: no weights of first');
  });
});

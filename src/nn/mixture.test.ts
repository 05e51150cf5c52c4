import { beforeAll, describe, expect, it } from 'vitest';
import {
  sampleClasses,
  sampleClassifier,
  sampleImages,
  sampleMixture,
} from '../../test/support/sample-classifier.js';
import { imagesInMemory } from '../data/image-source.js';
import { probabilitiesAt } from '../model/temperature.js';
import { decodeWeights, encodeWeights } from '../model/weights-file.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { computeLogits, computeProbabilities } from '../train/evaluate.js';
import { mixtureOf, mixtureWeights } from './mixture.js';
import { summary } from './summary.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

describe('a mixture of two networks', () => {
  const size = [28, 28, 1] as const;
  const { network, weights, parts } = sampleMixture('compact', size, [2, 0.5]);

  it('mixes the probabilities of its members, each at its temperature', async () => {
    const [height, width, channels] = size;
    const pixels = sampleImages(130, size).data;
    const set = {
      title: 'samples',
      images: imagesInMemory({ name: 'samples', pixels, height, width, channels }),
    };
    const expected = new Float64Array(130 * sampleClasses.length);
    for (const { classifier, share, temperature } of parts) {
      const logits = await computeLogits(classifier.network, classifier.weights, set, { runtime });
      probabilitiesAt(logits, sampleClasses.length, temperature).forEach((p, i) => {
        expected[i] = Number(expected[i]) + share * p;
      });
    }
    const own = await computeProbabilities(network, weights, set, { runtime });
    expected.forEach((p, i) => {
      expect(own[i]).toBeCloseTo(p, 5);
    });
  });

  it('is told apart from one network by its weights file, and counted in its layer table', () => {
    const read = decodeWeights('w', encodeWeights({ network, weights, classNames: sampleClasses }));
    expect(read.network.title).toBe(network.title);
    expect(read.weights).toEqual(weights);
    const numberIn = (name: string) => Number(read.weights[name]?.data[0]);
    const shares = network.members.map((member) => [
      numberIn(`${member}.share`).toFixed(3),
      numberIn(`${member}.temperature`),
    ]);
    expect(shares).toEqual([
      ['0.300', 2],
      ['0.700', 0.5],
    ]);
    expect(summary(network).totalParams).toBe(2 * summary(parts[0].classifier.network).totalParams + 4);
  });

  it('needs the tensors of every member', () => {
    const one = mixtureOf(sampleClassifier('compact', size).network, ['first']);
    expect(() => mixtureWeights(one, {})).toThrow('mixture: no weights of first');
  });
});

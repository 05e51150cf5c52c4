import { expect, it } from 'vitest';
import { imagesInMemory } from '../data/image-source.js';
import { createNetwork } from '../nn/network.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import { reestimateStatistics } from './statistics.js';
import { freshWeights } from './train-step.js';

it('re-estimated statistics of the first layer are the mean and unbiased variance of its convolution', async () => {
  const network = createNetwork(
    {
      backbone: 'rotnet',
      width: 1 / 16,
      image: { height: 8, width: 8, channels: 1 },
    },
    2,
  );
  const weights = freshWeights(network, Random.seeded(1));
  // A kernel that passes the middle pixel on, times 2, in channel 0.
  const kernel = weights['block1.conv1.kernel']!.data as Float32Array;
  kernel.fill(0, 0, 25);
  kernel[12] = 2;
  const pixelsOf = (offset: number) =>
    Uint8Array.from({ length: 3 * 64 }, (_, i) => ((i + offset) * 37) % 256);
  const images = imagesInMemory({
    name: 'six',
    pixels: Uint8Array.from([...pixelsOf(0), ...pixelsOf(11)]),
    ...{ height: 8, width: 8, channels: 1 },
  });
  const batches = [Uint32Array.of(0, 1, 2), Uint32Array.of(3, 4, 5)];
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const result = await reestimateStatistics(network, weights, { images, batches, runtime });

  const perBatch = [0, 11].map((offset) => {
    const values = Array.from(pixelsOf(offset), (v) => (2 * v) / 255);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
    return { mean, variance };
  });
  const averageOf = (key: 'mean' | 'variance') => (perBatch[0]![key] + perBatch[1]![key]) / 2;
  expect(result['block1.conv1.norm.movingMean']!.data[0]).toBeCloseTo(averageOf('mean'), 5);
  expect(result['block1.conv1.norm.movingVariance']!.data[0]).toBeCloseTo(averageOf('variance'), 5);
  expect(result['block1.conv1.kernel']).toBe(weights['block1.conv1.kernel']);
});

it('re-estimated statistics of a backbone on patches are those of its patches', async () => {
  const network = createNetwork(
    { backbone: 'compact', width: 3 / 128, image: { height: 28, width: 28, channels: 1 } },
    2,
  );
  const weights = freshWeights(network, Random.seeded(1));
  // A kernel that passes the upper right pixel of each 2×2 patch on, in channel 0.
  const kernel = weights['block1.conv1.kernel']!;
  expect(kernel.shape).toEqual([3, 4, 3, 3]);
  (kernel.data as Float32Array).fill(0, 0, 36)[9 + 4] = 1;
  const pixels = Uint8Array.from({ length: 2 * 784 }, (_, i) => (i * 37 + (i % 28) * 11) % 256);
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const images = imagesInMemory({ name: 'two', pixels, height: 28, width: 28, channels: 1 });
  const batches = [Uint32Array.of(0, 1)];
  const result = await reestimateStatistics(network, weights, { images, batches, runtime });
  const chosen = [...pixels].filter((_, i) => Math.floor(i / 28) % 2 === 0 && i % 2 === 1);
  const mean = chosen.reduce((sum, v) => sum + v / 255, 0) / chosen.length;
  expect(result['block1.conv1.norm.movingMean']!.data[0]).toBeCloseTo(mean, 5);
  expect(Object.keys(result).sort()).toEqual(network.specs.map(({ name }) => name).sort());
});

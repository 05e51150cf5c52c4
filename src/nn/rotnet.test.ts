import { describe, expect, it } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { Random } from '../random/random.js';
import { sizeOf } from '../tensor/tensor.js';
import { initialTensors } from './network.js';
import { rotNet } from './rotnet.js';
import { summary } from './summary.js';

const batchNorm = { momentum: 0.99, epsilon: 1e-3 };
const mnist = { width: 1, height: 28, imageWidth: 28, channels: 1, batchNorm };

describe('rotNet', () => {
  it('has the notebook’s parameters, trainable and not', () => {
    const table = summary(rotNet(mnist, 4), { title: 'RotNet' });
    expect([table.totalParams, table.trainableParams, table.nonTrainableParams]).toEqual([
      998_084, 994_884, 3_200,
    ]);
  });

  it('has the notebook’s counts with blocks 1 and 2 frozen', () => {
    const table = summary(rotNet(mnist, 4), { title: 'frozen', frozenBlocks: 2 });
    expect([table.totalParams, table.trainableParams, table.nonTrainableParams]).toEqual([
      998_084, 407_428, 590_656,
    ]);
  });

  it('has the notebook’s counts as a baseline with ten classes', () => {
    const table = summary(rotNet(mnist, 10), { title: 'baseline' });
    expect([table.totalParams, table.trainableParams]).toEqual([999_242, 996_042]);
  });

  it('has the notebook’s layers in their order, with their shapes', () => {
    const { rows } = summary(rotNet(mnist, 4), { title: 'RotNet' });
    const withParams = rows.filter((row) => row.params > 0).map((row) => row.params);
    expect(withParams).toEqual([
      4_800, 768, 30_720, 640, 15_360, 384, 460_800, 768, 36_864, 768, 36_864, 768, 331_776, 768, 36_864, 768,
      36_864, 768, 772,
    ]);
    const shapeOf = (name: string) => rows.find((row) => row.name === name)?.outputShape;
    expect(shapeOf('block1.conv1')).toEqual([28, 28, 192]);
    expect(shapeOf('block1.pool')).toEqual([14, 14, 96]);
    expect(shapeOf('block2.pool')).toEqual([7, 7, 192]);
    expect(shapeOf('block3.pool')).toEqual([192]);
    expect(shapeOf('head')).toEqual([4]);
  });

  it('scales with the width and takes other images', () => {
    const network = rotNet({ ...mnist, width: 0.25, height: 33, imageWidth: 20, channels: 3 }, 7);
    expect(network.blocks.map((block) => block.outputShape)).toEqual([[24, 17, 10], [48, 9, 5], [48]]);
    expect(network.specs[0]).toMatchObject({ name: 'block1.conv1.kernel', shape: [48, 3, 5, 5] });
  });

  it.each([
    [{ ...mnist, width: 0 }, /width: expected a number in 0 < width ≤ 8\. Received: 0\./],
    [{ ...mnist, width: Number.NaN }, /Received: NaN/],
    [{ ...mnist, height: 6 }, /images: expected at least 8×8 pixels\. Received: 6×28\./],
  ])('refuses what leaves nothing to learn from', (settings, message) => {
    expect(() => rotNet(settings, 4)).toThrow(QuarterturnError);
    expect(() => rotNet(settings, 4)).toThrow(message);
  });
});

describe('initial values', () => {
  const network = rotNet({ ...mnist, width: 0.25 }, 10);
  const tensors = initialTensors(network.specs, Random.seeded(3));

  it('are Glorot uniform for kernels: bounded by √(6/(fanIn + fanOut)), with its variance', () => {
    const { data, shape } = tensors['block2.conv1.kernel']!;
    const [o, i, kh, kw] = shape as [number, number, number, number];
    const limit = Math.sqrt(6 / ((o + i) * kh * kw));
    const largest = Math.max(...data.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.99 * limit);
    const variance = data.reduce((sum, v) => sum + v * v, 0) / sizeOf(shape);
    expect(variance).toBeCloseTo((limit * limit) / 3, 4);
  });

  it('are 1 for scales and moving variances, 0 for shifts, means and biases', () => {
    for (const { name, initializer } of network.specs) {
      const values = new Set(tensors[name]!.data);
      if (/scale|movingVariance/.test(name)) expect([...values], name).toEqual([1]);
      else if (/shift|movingMean|bias/.test(name)) expect([...values], name).toEqual([0]);
      else expect(initializer, name).toBe('glorotUniform');
    }
  });

  it('of one tensor do not depend on the others', () => {
    const alone = initialTensors([network.specs[0]!], Random.seeded(3));
    expect(alone[network.specs[0]!.name]).toEqual(tensors[network.specs[0]!.name]);
  });
});

import { describe, expect, it } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { Random } from '../random/random.js';
import { sizeOf } from '../tensor/tensor.js';
import { initialTensors } from './block.js';
import { backboneNames, createNetwork } from './network.js';
import { summary } from './summary.js';

const mnist = { backbone: 'rotnet', width: 1, image: { height: 28, width: 28, channels: 1 } } as const;

describe('createNetwork', () => {
  it.each([
    [{ ...mnist, width: 0 }, /width: expected a number in 0 < width ≤ 8\. Received: 0\./],
    [{ ...mnist, width: Number.NaN }, /Received: NaN/],
    [
      { ...mnist, image: { height: 6, width: 28, channels: 1 } },
      /images: expected at least 8×8 pixels\. Received: 6×28\./,
    ],
  ])('refuses what leaves nothing to learn from', (settings, message) => {
    expect(() => createNetwork(settings, 4)).toThrow(QuarterturnError);
    expect(() => createNetwork(settings, 4)).toThrow(message);
  });
  it('refuses a backbone that is not there, and names those that are', () => {
    const unknown: string = 'rotnett';
    const settings = { ...mnist, backbone: unknown as 'rotnet' };
    expect(() => createNetwork(settings, 4)).toThrow(QuarterturnError);
    expect(() => createNetwork(settings, 4)).toThrow(
      `backbone: expected one of ${backboneNames.map((name) => `"${name}"`).join(', ')}. Received: "rotnett".`,
    );
  });
});

describe.each(backboneNames)('the backbone %s', (backbone) => {
  it.each([
    [8, 8, 1],
    [28, 28, 1],
    [33, 20, 3],
    [64, 64, 3],
  ])('takes images of %i×%i×%i: three blocks, the last of which gives rows', (height, width, channels) => {
    const network = createNetwork({ backbone, width: 0.125, image: { height, width, channels } }, 7);
    expect(network.blocks.map(({ name }) => name)).toEqual(['block1', 'block2', 'block3']);
    expect(network.blocks.map(({ outputShape }) => outputShape.length)).toEqual([3, 3, 1]);
    expect(network.head.outputShape).toEqual([7]);
    const names = network.specs.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('heads its layer table, whose counts are those of its tensors', () => {
    const network = createNetwork({ ...mnist, backbone }, 4);
    const table = summary(network);
    expect(table.title).toBe(network.title);
    expect(table.totalParams).toBe(network.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  });
});

describe('initial values', () => {
  const network = createNetwork({ ...mnist, width: 0.25 }, 10);
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

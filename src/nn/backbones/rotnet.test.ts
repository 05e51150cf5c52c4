import { describe, expect, it } from 'vitest';
import { createNetwork } from '../network.js';
import { summary } from '../summary.js';

const mnist = { backbone: 'rotnet', width: 1, image: { height: 28, width: 28, channels: 1 } } as const;

describe('the rotnet backbone', () => {
  it('has the notebook’s parameters, trainable and not', () => {
    const table = summary(createNetwork(mnist, 4));
    expect([table.totalParams, table.trainableParams, table.nonTrainableParams]).toEqual([
      998_084, 994_884, 3_200,
    ]);
  });

  it('has the notebook’s counts with blocks 1 and 2 frozen', () => {
    const table = summary(createNetwork(mnist, 4), { frozenBlocks: 2 });
    expect([table.totalParams, table.trainableParams, table.nonTrainableParams]).toEqual([
      998_084, 407_428, 590_656,
    ]);
  });

  it('has the notebook’s counts as a baseline with ten classes', () => {
    const table = summary(createNetwork(mnist, 10));
    expect([table.totalParams, table.trainableParams]).toEqual([999_242, 996_042]);
  });

  it('has the notebook’s layers in their order, with their shapes', () => {
    const { rows } = summary(createNetwork(mnist, 4));
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
    const network = createNetwork(
      { ...mnist, width: 0.25, image: { height: 33, width: 20, channels: 3 } },
      7,
    );
    expect(network.blocks.map((block) => block.outputShape)).toEqual([[24, 17, 10], [48, 9, 5], [48]]);
    expect(network.specs[0]).toMatchObject({ name: 'block1.conv1.kernel', shape: [48, 3, 5, 5] });
  });
});

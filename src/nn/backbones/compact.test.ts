import { describe, expect, it } from 'vitest';
import { interpret } from '../../../test/support/interpreter.js';
import { expectClose } from '../../../test/support/numeric.js';
import { graph, input } from '../../graph/index.js';
import { Random } from '../../random/random.js';
import { float32 } from '../../tensor/tensor.js';
import { Bindings, initialTensors } from '../block.js';
import { createNetwork } from '../network.js';
import { summary } from '../summary.js';

const compact = {
  backbone: 'compact',
  width: 1,
  image: { height: 28, width: 28, channels: 1 },
} as const;

describe('the compact backbone', () => {
  it('has these layers on digits', () => {
    const { rows, ...totals } = summary(createNetwork(compact, 4));
    expect(
      rows.filter(({ type }) => !/ReLU|Activation/.test(type)).map((r) => [r.name, r.outputShape, r.params]),
    ).toEqual([
      ['block1.conv1', [14, 14, 128], 4_608],
      ['block1.conv1.norm', [14, 14, 128], 512],
      ['block1.conv2', [14, 14, 128], 147_456],
      ['block1.conv2.norm', [14, 14, 128], 512],
      ['block1.conv3', [14, 14, 128], 147_456],
      ['block1.conv3.norm', [14, 14, 128], 512],
      ['block1.pool', [7, 7, 128], 0],
      ['block2.conv1', [7, 7, 256], 294_912],
      ['block2.conv1.norm', [7, 7, 256], 1_024],
      ['block2.conv2', [7, 7, 256], 589_824],
      ['block2.conv2.norm', [7, 7, 256], 1_024],
      ['block2.pool', [4, 4, 256], 0],
      ['block3.conv1', [4, 4, 384], 884_736],
      ['block3.conv1.norm', [4, 4, 384], 1_536],
      ['block3.conv2', [4, 4, 384], 1_327_104],
      ['block3.conv2.norm', [4, 4, 384], 1_536],
      ['block3.pool', [384], 0],
      ['head', [4], 1_540],
    ]);
    expect(totals).toMatchObject({
      totalParams: 3_404_292,
      trainableParams: 3_400_964,
      nonTrainableParams: 3_328,
    });
  });

  it.each([
    ['28×28: patches of 2', 28, 28, 4, [7, 7], [4, 4]],
    ['32×32: patches of 2', 32, 32, 4, [8, 8], [4, 4]],
    ['12×12: none', 12, 12, 1, [6, 6], [3, 3]],
    ['33×20: none', 33, 20, 1, [17, 10], [9, 5]],
    ['42×63: patches of 3', 42, 63, 9, [7, 11], [4, 6]],
    ['45×30: none, for 2 does not divide 45', 45, 30, 1, [23, 15], [12, 8]],
    ['56×84: patches of 4', 56, 84, 16, [7, 11], [4, 6]],
  ])('%s', (_, height, width, pixels, once, twice) => {
    const image = { height, width, channels: 3 };
    const network = createNetwork({ ...compact, width: 0.25, image }, 7);
    expect(network.specs[0]).toMatchObject({ name: 'block1.conv1.kernel', shape: [32, 3 * pixels, 3, 3] });
    expect(network.blocks.map((block) => block.outputShape)).toEqual([[32, ...once], [64, ...twice], [96]]);
  });

  it('makes channels of the pixels of each patch: colour by colour, row by row', () => {
    // 12 channels in and 12 out: kernels that pass each of them on.
    const network = createNetwork(
      { ...compact, width: 12 / 128, image: { ...compact.image, channels: 3 } },
      2,
    );
    const [block] = network.blocks;
    const weights = initialTensors(network.specs, Random.seeded(1));
    for (const name of ['block1.conv1.kernel', 'block1.conv2.kernel', 'block1.conv3.kernel']) {
      const kernel = weights[name]!.data as Float32Array;
      kernel.fill(0);
      for (let c = 0; c < 12; c++) kernel[(c * 12 + c) * 9 + 4] = 1;
    }
    const image = Float32Array.from({ length: 3 * 28 * 28 }, (_, i) => ((i * 37) % 1009) / 1009);
    const values = Object.fromEntries(
      Object.entries(weights).map(([name, { shape }]) => [name, input(name, 'float32', shape)]),
    );
    const x = input('x', 'float32', [1, 3, 28, 28]);
    const closed = graph({ y: block!.apply(x, new Bindings(values), 'stored') });
    const used = Object.keys(closed.inputs).filter((name) => name !== 'x');
    const fed = Object.fromEntries(used.map((name) => [name, weights[name]!]));
    const { y } = interpret(closed, { ...fed, x: float32([1, 3, 28, 28], image) });

    const pixel = (c: number, row: number, column: number) => image[(c * 28 + row) * 28 + column]!;
    const expected: number[] = [];
    for (let channel = 0; channel < 12; channel++) {
      const [c, dy, dx] = [Math.floor(channel / 4), Math.floor(channel / 2) % 2, channel % 2];
      for (let i = 0; i < 7; i++) {
        for (let j = 0; j < 7; j++) {
          let highest = 0;
          for (let u = 2 * i; u <= Math.min(13, 2 * i + 2); u++)
            for (let v = 2 * j; v <= Math.min(13, 2 * j + 2); v++)
              highest = Math.max(highest, pixel(c, 2 * u + dy, 2 * v + dx));
          // Three normalisations with mean 0 and variance 1.
          expected.push(highest / (1 + 1e-3) ** 1.5);
        }
      }
    }
    expectClose(y!, { shape: [1, 12, 7, 7], data: expected }, { absolute: 1e-9, relative: 1e-7 }, 'patches');
  });
});

import { describe, expect, it } from 'vitest';
import { checkGradients } from '../../../test/support/gradient-check.js';
import { interpret } from '../../../test/support/interpreter.js';
import { expectClose, randomTensor } from '../../../test/support/numeric.js';
import { constant, graph, input } from '../../graph/index.js';
import { sgd } from '../../optim/sgd.js';
import { Random } from '../../random/random.js';
import { createNodeRuntime } from '../../runtime/node.js';
import { float32, scalar, sizeOf, type Tensor, type Tensors, tensor } from '../../tensor/tensor.js';
import { flattenState } from '../../train/state.js';
import { buildTrainStep, freshWeights, initialState } from '../../train/train-step.js';
import { Bindings, type Block } from '../block.js';
import { createNetwork } from '../network.js';
import { summary } from '../summary.js';

const digits = {
  backbone: 'residual',
  width: 1,
  image: { height: 28, width: 28, channels: 1 },
} as const;

describe('the residual backbone', () => {
  it('has these layers on digits', () => {
    const { rows, ...totals } = summary(createNetwork(digits, 4));
    expect(
      rows
        .filter(({ name }) => !/\.(norm|relu)$/.test(name))
        .map(({ name, outputShape, params }) => [name, outputShape, params]),
    ).toEqual([
      ['block1.stem', [28, 28, 64], 576],
      ['block1.conv1', [28, 28, 64], 36_864],
      ['block1.conv2', [28, 28, 64], 36_864],
      ['block1.add', [28, 28, 64], 0],
      ['block1.pool', [14, 14, 64], 0],
      ['block2.conv1', [14, 14, 128], 73_728],
      ['block2.conv2', [14, 14, 128], 147_456],
      ['block2.shortcut', [14, 14, 128], 8_192],
      ['block2.add', [14, 14, 128], 0],
      ['block2.pool', [7, 7, 128], 0],
      ['block3.conv1', [7, 7, 256], 294_912],
      ['block3.conv2', [7, 7, 256], 589_824],
      ['block3.shortcut', [7, 7, 256], 32_768],
      ['block3.add', [7, 7, 256], 0],
      ['block3.pool', [256], 0],
      ['head', [4], 1_028],
    ]);
    const norms = 3 * 64 + 3 * 128 + 3 * 256;
    expect(totals).toMatchObject({ totalParams: 1_222_212 + 4 * norms, nonTrainableParams: 2 * norms });
    expect(rows.filter(({ name }) => /relu$/.test(name)).map(({ name }) => name)).toEqual([
      'block1.stem.relu',
      'block1.conv1.relu',
      'block1.relu',
      'block2.conv1.relu',
      'block2.relu',
      'block3.conv1.relu',
      'block3.relu',
    ]);
  });

  it.each([
    [8, 8, [4, 4], [2, 2]],
    [28, 28, [14, 14], [7, 7]],
    [33, 20, [17, 10], [9, 5]],
  ])('halves maps of %i×%i twice', (height, width, once, twice) => {
    const image = { height, width, channels: 3 };
    const { blocks } = createNetwork({ ...digits, width: 0.25, image }, 7);
    expect(blocks.map(({ outputShape }) => outputShape)).toEqual([[16, ...once], [32, ...twice], [64]]);
  });

  it('adds what comes in to what the convolutions make of it: with a residual of 0 it is passed on', () => {
    const network = createNetwork({ ...digits, width: 3 / 64 }, 2);
    const weights = freshWeights(network, Random.seeded(1));
    // The stem gives the image in each of three channels; the two convolutions after it give 0.
    const stem = (weights['block1.stem.kernel']!.data as Float32Array).fill(0);
    for (let c = 0; c < 3; c++) stem[9 * c + 4] = c + 1;
    weights['block1.conv2.kernel']!.data.fill(0 as never);
    const image = Float32Array.from({ length: 28 * 28 }, (_, i) => ((i * 37) % 1009) / 1009);
    const y = blockOf(network.blocks[0]!, weights, float32([1, 1, 28, 28], image));
    const expected = [1, 2, 3].flatMap((factor) =>
      windowMaxima(image).map((highest) => (factor * highest) / Math.sqrt(1 + 1e-3)),
    );
    expectClose(y, { shape: [1, 3, 14, 14], data: expected }, { absolute: 1e-7, relative: 1e-6 }, 'block1');
  });

  it('projects what comes in where the channels change: the residual of 0 leaves its 1×1 convolution', () => {
    const network = createNetwork({ ...digits, width: 1 / 64 }, 2);
    const weights = freshWeights(network, Random.seeded(1));
    weights['block3.conv2.kernel']!.data.fill(0 as never);
    // From two channels to four: their sum, their difference, the first, the second twice.
    const projection = [1, 1, 1, -1, 1, 0, 0, 2];
    weights['block3.shortcut.kernel'] = float32([4, 2, 1, 1], Float32Array.from(projection));
    const maps = randomTensor(3, [2, 2, 7, 7]);
    const y = blockOf(network.blocks[2]!, weights, maps);
    const expected = [0, 1].flatMap((n) =>
      [0, 1, 2, 3].map((k) => {
        let sum = 0;
        for (let i = 0; i < 49; i++) {
          const [a, b] = [maps.data[n * 98 + i]!, maps.data[n * 98 + 49 + i]!];
          sum += Math.max(0, projection[2 * k]! * a + projection[2 * k + 1]! * b);
        }
        return sum / 49 / Math.sqrt(1 + 1e-3);
      }),
    );
    expectClose(y, { shape: [2, 4], data: expected }, { absolute: 1e-7, relative: 1e-6 }, 'block3');
  });

  it('has the gradients of central differences in float64, in its maps and in each of its tensors', () => {
    const network = createNetwork(
      { ...digits, width: 2 / 64, image: { height: 8, width: 8, channels: 1 } },
      2,
    );
    const block = network.blocks[1]!;
    const specs = block.layers.flatMap(({ params }) => params).filter(({ kind }) => kind === 'param');
    const buffers = block.layers.flatMap(({ params }) => params).filter(({ kind }) => kind === 'buffer');
    const drawn = (shape: readonly number[], seed: number) =>
      randomTensor(seed, shape, { low: 0.2, high: 1 });
    const used = checkGradients({
      operands: [
        randomTensor(11, [3, 2, 4, 4]),
        ...specs.map(({ name, shape }, i) =>
          name.endsWith('.kernel') ? randomTensor(20 + i, shape) : drawn(shape, 20 + i),
        ),
      ],
      build: (x, ...values) => {
        const bound = Object.fromEntries(specs.map(({ name }, i) => [name, values[i]!]));
        const stored = buffers.map(({ name, shape }) => [name, constant(drawn(shape, 5))] as const);
        return block.apply(x!, new Bindings({ ...bound, ...Object.fromEntries(stored) }), { momentum: 0.9 });
      },
    });
    expect(used.filter((op) => op === 'conv')).toHaveLength(3);
    expect(used).toContain('maxPool');
  });

  it.each([
    [28, 1],
    [32, 3],
  ])('takes a whole training step as float64 does: %i pixels a side, %i channels', async (side, channels) => {
    const network = createNetwork(
      { ...digits, width: 1 / 16, image: { height: side, width: side, channels } },
      3,
    );
    const settings = {
      network,
      optimizer: sgd({ momentum: 0.9 }),
      batchSize: 3,
      frozenBlocks: 0,
      batch: 'images',
      batchNormMomentum: 0.9,
    } as const;
    const step = buildTrainStep(settings);
    const shape = [3, side, side, channels] as const;
    // Random: no window of a pool has two equal maxima, of which rounding could take the other.
    const random = Random.seeded(9);
    const pixels = Uint8Array.from({ length: sizeOf(shape) }, () => random.integer(256));
    const fed: Record<string, Tensor> = {
      images: tensor('uint8', shape, pixels),
      targets: tensor('int32', [3], Int32Array.from([0, 2, 1])),
      learningRate: scalar(0.05),
      ...flattenState(initialState(settings, freshWeights(network, Random.seeded(4)))),
    };
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    const program = await runtime.compile(step);
    const out = await program.run(fed);
    await program.release();
    for (const [name, wanted] of Object.entries(interpret(step, fed))) {
      const largest = Math.max(...wanted.data.map(Math.abs));
      const { shape, data } = out[name]!;
      expectClose({ shape, data: Array.from(data, Number) }, wanted, { absolute: 2e-5 * largest }, name);
    }
  });
});

/** What a block with stored statistics makes of maps, in float64. */
function blockOf(block: Block, weights: Tensors, maps: Tensor<'float32'>) {
  const names = block.layers.flatMap(({ params }) => params.map(({ name }) => name));
  const values = Object.fromEntries(names.map((name) => [name, constant(weights[name]!)]));
  const x = input('x', 'float32', maps.shape);
  return interpret(graph({ y: block.apply(x, new Bindings(values), 'stored') }), { x: maps }).y!;
}

/** Maxima of 3×3 windows every 2 over a map of 28×28, which reach one row and column over its end. */
function windowMaxima(map: Float32Array): number[] {
  const maxima: number[] = [];
  for (let i = 0; i < 28; i += 2) {
    for (let j = 0; j < 28; j += 2) {
      let highest = Number.NEGATIVE_INFINITY;
      for (let u = i; u <= Math.min(27, i + 2); u++)
        for (let v = j; v <= Math.min(27, j + 2); v++) highest = Math.max(highest, map[28 * u + v]!);
      maxima.push(highest);
    }
  }
  return maxima;
}

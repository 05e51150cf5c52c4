import { add, relu, scoped } from '../../graph/index.js';
import { at } from '../../tensor/elements.js';
import { type BlockBuilder, buildChain, sequential } from '../block.js';
import { globalPool, pool } from '../layers.js';
import { type Backbone, type BackboneSettings, convUnits } from './backbone.js';

/**
 * A small residual network (He et al. 2016): a convolution on the images, then one basic unit a block, eight layers with
 * weights in all. At width 0.25 its 16, 32 and 64 channels are those of the networks for CIFAR-10 (section 4.2, n = 1).
 *
 * A pool at the end of a block stands where He et al. have a stride of 2 at the beginning of the next.
 */
export const residual = {
  name: 'residual',
  title: 'Residual network',
  build: (images, settings) => {
    const conv = convUnits(settings);
    return buildChain(images, [
      sequential('block1', [
        conv('block1.stem', 3, 64),
        basicUnit('block1', 64, settings),
        pool('block1.pool', 'max'),
      ]),
      sequential('block2', [basicUnit('block2', 128, settings), pool('block2.pool', 'max')]),
      sequential('block3', [basicUnit('block3', 256, settings), globalPool('block3.pool')]),
    ]);
  },
} as const satisfies Backbone;

/**
 * y = ReLU(F(x) + S(x)): F is two 3×3 convolutions with BatchNorm each and a ReLU between, S what comes in, or its
 * projection by a 1×1 convolution where the channels change (He et al. 2016, section 3.2 and option B of section 3.3).
 */
function basicUnit(name: string, fullChannels: number, settings: BackboneSettings): BlockBuilder {
  const conv = convUnits(settings);
  const convolutions = sequential(name, [
    conv(`${name}.conv1`, 3, fullChannels),
    conv(`${name}.conv2`, 3, fullChannels, 'none'),
  ]);
  const projection = conv(`${name}.shortcut`, 1, fullChannels, 'none');
  return (input) => {
    const [inChannels, height, width] = input;
    const main = convolutions(input);
    const channels = at(main.outputShape, 0);
    const shortcut = channels === inChannels ? undefined : projection(input);
    const outputShape = [height, width, channels];
    return {
      name,
      layers: [
        ...main.layers,
        ...(shortcut?.layers ?? []),
        { name: `${name}.add`, type: 'Add', outputShape, params: [] },
        { name: `${name}.relu`, type: 'Activation', outputShape, params: [] },
      ],
      outputShape: main.outputShape,
      apply: (x, bindings, norm) => {
        const change = main.apply(x, bindings, norm);
        const straight = shortcut ? shortcut.apply(x, bindings, norm) : x;
        return scoped(`${name}.add`, () => relu(add(change, straight)));
      },
    };
  };
}

import { reshape, transpose, type Value } from '../../graph/index.js';
import { type BlockBuilder, buildChain, sequential } from '../block.js';
import { globalPool, pool } from '../layers.js';
import { type Backbone, convUnits } from './backbone.js';

/**
 * 3×3 convolutions on patches (Simonyan & Zisserman 2015, section 2.3, on the one; Dosovitskiy et al. 2021, section
 * 3.1, on the other). Most of RotNet's time goes into passes over full-size maps, of which there are none here: a step
 * takes half the time at the same width.
 */
export const compact = {
  name: 'compact',
  title: 'Compact network',
  build: (images, settings) => {
    const conv = convUnits(settings);
    const [, height, width] = images;
    return buildChain(images, [
      sequential('block1', [
        patches(patchSize(height, width)),
        conv('block1.conv1', 3, 128),
        conv('block1.conv2', 3, 128),
        conv('block1.conv3', 3, 128),
        pool('block1.pool', 'max'),
      ]),
      sequential('block2', [
        conv('block2.conv1', 3, 256),
        conv('block2.conv2', 3, 256),
        pool('block2.pool', 'max'),
      ]),
      sequential('block3', [
        conv('block3.conv1', 3, 384),
        conv('block3.conv2', 3, 384),
        globalPool('block3.pool'),
      ]),
    ]);
  },
} as const satisfies Backbone;

/** Patches leave maps of about this side: 14 for digits of 28×28, 16 for 32×32, 64×64 and more. */
const patchedSide = 14;

/** Side of the patches: the largest common divisor of both sides that leaves maps of at least the wanted side, or 1. */
function patchSize(height: number, width: number): number {
  for (let size = Math.floor(Math.min(height, width) / patchedSide); size > 1; size--) {
    if (height % size === 0 && width % size === 0) return size;
  }
  return 1;
}

/** Cuts images into patches of `size`×`size`, whose pixels become channels. It is no layer of its own. */
function patches(size: number): BlockBuilder {
  return ([channels, height, width]) => ({
    name: 'patches',
    layers: [],
    outputShape: [channels * size ** 2, height / size, width / size],
    apply: (x) => patchesToChannels(x, size),
  });
}

/** Maps [N, C, H, W] → [N, C·p², H/p, W/p]: the pixels of each p×p patch as channels. */
function patchesToChannels(x: Value, size: number): Value {
  if (size === 1) return x;
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  const [rows, columns] = [h / size, w / size];
  const split = reshape(x, [n, c, rows, size, columns, size]);
  return reshape(transpose(split, [0, 1, 3, 5, 2, 4]), [n, c * size * size, rows, columns]);
}

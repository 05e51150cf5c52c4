import { countOf } from '../counts.js';
import { selectImages } from '../data/image-source.js';
import { turnCount } from '../data/rotation.js';
import type { Encoder } from '../features/encoder.js';
import { scaleToLengthOne } from '../features/length-one.js';
import { inChunks, startProgress } from '../progress.js';
import { type Tensors, tensor } from '../tensor/tensor.js';
import { computeFeatures } from '../train/evaluate.js';
import { networkFor, type RecipeContext } from './context.js';

/**
 * Blocks that images go through. What looks alike after one block is more often of one class than after two or three: of 3,000 images
 * of MNIST, neighbours find the classes of 89.6 % by the first and of 68.7 % by the second (docs/encoders.md).
 */
const usedBlocks = 1;

/**
 * Cells along each side that maps are averaged in, where they have as many positions: what is where tells more than a mean of the
 * whole image does, 74.5 % of Fashion-MNIST against 71.6 in 2×2 cells.
 */
const cells = 4;

/** Numbers of the maps that are in memory at once: 32 MB, those of 4,096 images of 32×32 by the quick preset's network. */
const numbersAtATime = 2 ** 23;

/**
 * A backbone that learned from rotations as an encoder: the maps of its first block, averaged in 4×4 cells, scaled to length 1.
 *
 *   row[cell, channel] = mean of the channel's map over the positions of the cell
 *
 * @param context settings and images of the run that the backbone was trained for
 * @param weights the backbone's; those of a head are not looked at
 */
export function rotationEncoder(
  { settings, data, runtime }: Pick<RecipeContext, 'settings' | 'data' | 'runtime'>,
  weights: Tensors,
): Encoder {
  const network = networkFor(settings.network, data.train.images, turnCount);
  const maps = network.blocks[usedBlocks - 1]?.outputShape ?? [];
  const [channels = 0, height = 1, width = 1] = maps;
  const [down, across] = [cellsAlong(height), cellsAlong(width)];
  const dimensions = channels * down.length * across.length;
  return {
    name: 'rotations',
    title: 'the network pretrained on rotations',
    dimensions,
    fingerprint: 'rotations-1',
    async describe(images, options = {}) {
      const rows = new Float32Array(images.count * dimensions);
      const progress = startProgress(options, `features of ${countOf(images.count, 'image')}`, images.count);
      await inChunks(
        images.count,
        numbersAtATime / (channels * height * width),
        async (from, to) => {
          const indices = Uint32Array.from({ length: to - from }, (_, i) => from + i);
          const set = { title: 'features', images: selectImages(images, indices) };
          const silent = { runtime, signal: options.signal };
          const { data } = await computeFeatures(network, weights, usedBlocks, set, silent);
          for (let n = from; n < to; n++) {
            const own = (n - from) * channels * height * width;
            const row = rows.subarray(n * dimensions, (n + 1) * dimensions);
            averageInCells(data.subarray(own, own + channels * height * width), row, { width, down, across });
            scaleToLengthOne(row);
          }
        },
        progress,
      );
      return tensor('float32', [images.count, dimensions], rows);
    },
    async release() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** Where a cell begins and ends. */
type Cell = readonly [from: number, to: number];

function cellsAlong(side: number): readonly Cell[] {
  const count = Math.min(cells, side);
  const border = (i: number) => Math.round((i * side) / count);
  return Array.from({ length: count }, (_, i) => [border(i), border(i + 1)]);
}

interface Grid {
  /** Of a map, in positions. */
  readonly width: number;
  readonly down: readonly Cell[];
  readonly across: readonly Cell[];
}

/**
 * @param maps float32 [C, H, W] of an image
 * @param row float32 [C · cells], which the means are written to
 */
function averageInCells(maps: Float32Array, row: Float32Array, { width, down, across }: Grid): void {
  const size = (down.at(-1)?.[1] ?? 1) * width;
  let at = 0;
  for (let map = 0; map < maps.length; map += size) {
    for (const [top, bottom] of down) {
      for (const [left, right] of across) {
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) sum += maps[map + y * width + x] ?? 0;
        }
        row[at++] = sum / ((bottom - top) * (right - left));
      }
    }
  }
}

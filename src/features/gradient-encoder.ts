import { countOf } from '../counts.js';
import { readRange } from '../data/image-source.js';
import { inChunks, startProgress } from '../progress.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { colourLayout, colourLayoutLength } from './colour-layout.js';
import type { Encoder } from './encoder.js';
import { scaleToLengthOne } from './length-one.js';
import { orientedGradients, orientedGradientsLength } from './oriented-gradients.js';

/** Pixels of the images described between two checks of the abort signal: a few milliseconds' work. */
const pixelsAtATime = 2 ** 17;

/**
 * Share of the colours in the cosine of two images. Of the ten nearest of each of 4,000 training images of CIFAR-10, 31.1 %
 * are of its class by gradients alone, 34.7 % with a share of 0.1, 33.5 % with 0.3, 27.8 % by colours alone (2026-11-27).
 */
const colourShare = 0.1;

/**
 * Oriented gradients, and beside them the layout of the colours where images have three channels. Nothing is learned, and
 * nothing is held.
 *
 *   row = [ √(1 − s) · gradients, √s · colours ], s = 0.1, scaled to length 1; of other images the gradients alone
 *
 * @param channels of the images to describe
 */
export function gradientEncoder(channels: number): Encoder {
  const inColour = channels === 3;
  const dimensions = orientedGradientsLength + (inColour ? colourLayoutLength : 0);
  return {
    name: 'oriented-gradients',
    title: inColour ? 'oriented gradients and colours' : 'oriented gradients',
    dimensions,
    fingerprint: inColour ? 'oriented-gradients-colours-1' : 'oriented-gradients-1',
    async describe(images, options = {}) {
      const rows = new Float32Array(images.count * dimensions);
      const progress = startProgress(options, `shapes of ${countOf(images.count, 'image')}`, images.count);
      await inChunks(
        images.count,
        pixelsAtATime / (images.height * images.width),
        async (from, to) => {
          const part = await readRange(images, from, to);
          rows.set(inColour ? gradientsAndColours(part) : orientedGradients(part).data, from * dimensions);
        },
        progress,
      );
      return tensor('float32', [images.count, dimensions], rows);
    },
    async release() {},
    async [Symbol.asyncDispose]() {},
  };
}

function gradientsAndColours(images: Tensor<'uint8'>): Float32Array {
  const [count = 0] = images.shape;
  const length = orientedGradientsLength + colourLayoutLength;
  const [gradients, colours] = [orientedGradients(images).data, colourLayout(images).data];
  const rows = new Float32Array(count * length);
  const [ofGradients, ofColours] = [Math.sqrt(1 - colourShare), Math.sqrt(colourShare)];
  for (let n = 0; n < count; n++) {
    const row = rows.subarray(n * length, (n + 1) * length);
    for (let i = 0; i < orientedGradientsLength; i++) {
      row[i] = ofGradients * (gradients[n * orientedGradientsLength + i] ?? 0);
    }
    for (let i = 0; i < colourLayoutLength; i++) {
      row[orientedGradientsLength + i] = ofColours * (colours[n * colourLayoutLength + i] ?? 0);
    }
    // An image of one colour has no gradients.
    scaleToLengthOne(row);
  }
  return rows;
}

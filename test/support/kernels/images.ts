import type { ConvAttributes } from '../../../src/graph/ops/conv.js';
import type { BatchNormAttributes } from '../../../src/graph/ops/normalize.js';
import type { PoolAttributes } from '../../../src/graph/ops/pool.js';
import { type Shape, sizeOf } from '../../../src/tensor/tensor.js';
import type { Float64Tensor, Kernel } from './kernel.js';

/** Kernels of ops on images [N, C, H, W]. */

/** Visit every product of y = conv(x, w), as offsets into x, w and y; taps on the padding are left out. */
function forEachTap(
  [, channels, height, width]: Shape,
  [, , kernelHeight, kernelWidth]: Shape,
  [images, outputChannels, outputHeight, outputWidth]: Shape,
  { pads: [top, left] }: ConvAttributes,
  visit: (x: number, w: number, y: number) => void,
): void {
  for (let n = 0; n < images!; n++)
    for (let o = 0; o < outputChannels!; o++)
      for (let p = 0; p < outputHeight!; p++)
        for (let q = 0; q < outputWidth!; q++) {
          const y = ((n * outputChannels! + o) * outputHeight! + p) * outputWidth! + q;
          for (let c = 0; c < channels!; c++)
            for (let i = 0; i < kernelHeight!; i++)
              for (let j = 0; j < kernelWidth!; j++) {
                const [row, column] = [p + i - top, q + j - left];
                if (row < 0 || row >= height! || column < 0 || column >= width!) continue;
                const x = ((n * channels! + c) * height! + row) * width! + column;
                const w = ((o * channels! + c) * kernelHeight! + i) * kernelWidth! + j;
                visit(x, w, y);
              }
        }
}

export const conv: Kernel<ConvAttributes> = ([x, w], attributes, [out]) => {
  const y = new Float64Array(sizeOf(out!.shape));
  forEachTap(x!.shape, w!.shape, out!.shape, attributes, (ix, iw, iy) => {
    y[iy]! += x!.data[ix]! * w!.data[iw]!;
  });
  return [y];
};

export const convInputGrad: Kernel<ConvAttributes> = ([dy, w], attributes, [out]) => {
  const dx = new Float64Array(sizeOf(out!.shape));
  forEachTap(out!.shape, w!.shape, dy!.shape, attributes, (ix, iw, iy) => {
    dx[ix]! += dy!.data[iy]! * w!.data[iw]!;
  });
  return [dx];
};

export const convWeightGrad: Kernel<ConvAttributes> = ([x, dy], attributes, [out]) => {
  const dw = new Float64Array(sizeOf(out!.shape));
  forEachTap(x!.shape, out!.shape, dy!.shape, attributes, (ix, iw, iy) => {
    dw[iw]! += dy!.data[iy]! * x!.data[ix]!;
  });
  return [dw];
};

/** Visit every window: its offset in the pooled map and, in row-major order, those in the map that it covers. */
function forEachWindow(
  [images, channels, height, width]: Shape,
  [, , pooledHeight, pooledWidth]: Shape,
  { kernel, strides, pads: [top, left] }: PoolAttributes,
  visit: (pooled: number, covered: readonly number[]) => void,
): void {
  for (let plane = 0; plane < images! * channels!; plane++)
    for (let p = 0; p < pooledHeight!; p++)
      for (let q = 0; q < pooledWidth!; q++) {
        const covered: number[] = [];
        for (let i = 0; i < kernel[0]; i++)
          for (let j = 0; j < kernel[1]; j++) {
            const [row, column] = [p * strides[0] - top + i, q * strides[1] - left + j];
            if (row < 0 || row >= height! || column < 0 || column >= width!) continue;
            covered.push((plane * height! + row) * width! + column);
          }
        visit((plane * pooledHeight! + p) * pooledWidth! + q, covered);
      }
}

export const maxPool: Kernel<PoolAttributes> = ([x], attributes, [out]) => {
  const y = new Float64Array(sizeOf(out!.shape));
  forEachWindow(x!.shape, out!.shape, attributes, (pooled, covered) => {
    y[pooled] = Math.max(...covered.map((i) => x!.data[i]!));
  });
  return [y];
};

export const maxPoolGrad: Kernel<PoolAttributes> = ([x, y, dy], attributes, [out]) => {
  const dx = new Float64Array(sizeOf(out!.shape));
  forEachWindow(x!.shape, dy!.shape, attributes, (pooled, covered) => {
    const first = covered.find((i) => x!.data[i] === y!.data[pooled]);
    if (first === undefined) throw new Error('maxPoolGrad: expected y = maxPool(x). Received: another y.');
    dx[first]! += dy!.data[pooled]!;
  });
  return [dx];
};

export const avgPool: Kernel<PoolAttributes> = ([x], attributes, [out]) => {
  const y = new Float64Array(sizeOf(out!.shape));
  forEachWindow(x!.shape, out!.shape, attributes, (pooled, covered) => {
    for (const i of covered) y[pooled]! += x!.data[i]! / covered.length;
  });
  return [y];
};

export const avgPoolGrad: Kernel<PoolAttributes> = ([dy], attributes, [out]) => {
  const dx = new Float64Array(sizeOf(out!.shape));
  forEachWindow(out!.shape, dy!.shape, attributes, (pooled, covered) => {
    for (const i of covered) dx[i]! += dy!.data[pooled]! / covered.length;
  });
  return [dx];
};

/** For each channel the offsets of its pixels, over all images. */
function channelOffsets([images, channels, height, width]: Shape): readonly (readonly number[])[] {
  const plane = height! * width!;
  return Array.from({ length: channels! }, (_, c) =>
    Array.from({ length: images! * plane }, (_, k) => {
      const n = Math.floor(k / plane);
      return (n * channels! + c) * plane + (k % plane);
    }),
  );
}

export const batchNormInference: Kernel<BatchNormAttributes> = (
  [x, scale, shift, mean, variance],
  { epsilon },
) => {
  const y = new Float64Array(x!.data.length);
  channelOffsets(x!.shape).forEach((offsets, c) => {
    for (const i of offsets) {
      const normalised = (x!.data[i]! - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + epsilon);
      y[i] = scale!.data[c]! * normalised + shift!.data[c]!;
    }
  });
  return [y];
};

const perChannel = (data: Float64Array): Float64Tensor => ({ shape: [data.length], data });

export const batchNormTrain: Kernel<BatchNormAttributes> = ([x, scale, shift], { epsilon }) => {
  const channels = channelOffsets(x!.shape);
  const average = (offsets: readonly number[], f: (v: number) => number) =>
    offsets.reduce((sum, i) => sum + f(x!.data[i]!), 0) / offsets.length;
  const mean = Float64Array.from(channels, (offsets) => average(offsets, (v) => v));
  const variance = Float64Array.from(channels, (offsets, c) => average(offsets, (v) => (v - mean[c]!) ** 2));
  const [y] = batchNormInference(
    [x!, scale!, shift!, perChannel(mean), perChannel(variance)],
    { epsilon },
    [],
  );
  return [y!, mean, variance];
};

export const batchNormGrad: Kernel<BatchNormAttributes> = ([x, dy, scale, mean, variance], { epsilon }) => {
  const channels = channelOffsets(x!.shape);
  const dx = new Float64Array(x!.data.length);
  const dscale = new Float64Array(channels.length);
  const dshift = new Float64Array(channels.length);
  channels.forEach((offsets, c) => {
    const r = 1 / Math.sqrt(variance!.data[c]! + epsilon);
    const normalised = (i: number) => (x!.data[i]! - mean!.data[c]!) * r;
    for (const i of offsets) {
      dshift[c]! += dy!.data[i]!;
      dscale[c]! += dy!.data[i]! * normalised(i);
    }
    const n = offsets.length;
    for (const i of offsets) {
      dx[i] = scale!.data[c]! * r * (dy!.data[i]! - dshift[c]! / n - (normalised(i) * dscale[c]!) / n);
    }
  });
  return [dx, dscale, dshift];
};

import type { Two, Value } from '../graph/graph.js';
import type { ConvAttributes, Pads } from '../graph/ops/conv.js';
import { int, ints } from '../onnx/model.js';
import { at, fourAxes } from '../tensor/elements.js';
import type { Shape } from '../tensor/tensor.js';
import type { FastConv } from './conv-problem.js';
import type { Handle } from './emitter.js';
import { fastConv } from './fast-conv.js';
import type { Lowering, LoweringRule } from './lowering.js';

/** A 1×1 kernel without padding mixes channels only: the convolution is a matrix product. */
function isPointwise(kernel: Shape, pads: Pads): boolean {
  return kernel[2] === 1 && kernel[3] === 1 && pads.every((p) => p === 0);
}

/** kernel [O, C, 1, 1] as the matrix [O, C]. */
function kernelMatrix({ emit }: Lowering, w: Handle): Handle {
  return emit.reshape(w, w.shape.slice(0, 2));
}

/**
 * k×k convolution of a channel-major map: a 3-D convolution over [1, C, H, W, N] whose kernel has size 1 along the
 * batch. Its result lies channel-major again, and it is one long matrix product instead of one for each image.
 * @param map stored channel-major
 * @param kernel [O, C, …], its taps row by row
 */
function convChannelMajor(
  lowering: Lowering,
  { map, kernel, size: [kh, kw], pads: [top, left, bottom, right] }: DirectConv,
  out: Value,
): void {
  const { emit } = lowering;
  const volume = emit.reshape(map, [1, ...map.shape]);
  const kernelShape = lowering.alongMap(1, kh, kw);
  const y = emit.node('Conv', [volume, emit.reshape(kernel, [...kernel.shape.slice(0, 2), ...kernelShape])], {
    kernel_shape: ints(kernelShape),
    pads: ints([...lowering.alongMap(0, top, left), ...lowering.alongMap(0, bottom, right)]),
  });
  lowering.set(out, emit.reshape(y, lowering.storedShape(out.shape)), 'channelMajor');
}

interface DirectConv {
  readonly map: Handle;
  readonly kernel: Handle;
  /** Of the kernel: height and width. */
  readonly size: readonly [number, number];
  readonly pads: Pads;
}

/** The convolution of a map x to a map y by a method with few multiplications, where that is faster. */
function fast(lowering: Lowering, x: Value, y: Value, w: Value, [top, left]: Pads): FastConv | undefined {
  const [batch, channels, height, width] = fourAxes(x.shape);
  const [, outChannels, outHeight, outWidth] = fourAxes(y.shape);
  const [, , kh, kw] = fourAxes(w.shape);
  if (!lowering.batchIsInnermost) return undefined;
  return fastConv(lowering.emit, {
    batch,
    channels,
    outChannels,
    axes: [
      { size: height, outSize: outHeight, kernel: kh, before: top },
      { size: width, outSize: outWidth, kernel: kw, before: left },
    ],
  });
}

const conv: LoweringRule<ConvAttributes, Two> = (
  lowering,
  { inputs: [x, w], outputs: [y], attributes: { pads } },
) => {
  const [, , kh, kw] = fourAxes(w.shape);
  if (lowering.mapLayout === 'plain') {
    // ONNX's own operator, which ONNX Runtime fuses with the BatchNorm and ReLU behind it.
    const attributes = { kernel_shape: ints([kh, kw]), pads: ints(pads) };
    lowering.setMap(y, lowering.emit.node('Conv', [lowering.map(x), lowering.plain(w)], attributes));
    return;
  }
  if (isPointwise(w.shape, pads)) {
    const matrix = kernelMatrix(lowering, lowering.plain(w));
    lowering.setChannelRows(y, lowering.emit.node('MatMul', [matrix, lowering.channelRows(x)]));
    return;
  }
  const [map, kernel] = [lowering.channelMajor(x), lowering.plain(w)];
  const method = fast(lowering, x, y, w, pads);
  if (method) lowering.set(y, method.forward(map, kernel), 'channelMajor');
  else convChannelMajor(lowering, { map, kernel, size: [kh, kw], pads }, y);
};

/** The gradient in the input is a convolution of dy with the kernel turned by half and its channel axes exchanged. */
const convInputGrad: LoweringRule<ConvAttributes, Two> = (lowering, node) => {
  const {
    inputs: [dy, w],
    outputs: [dx],
    attributes: { pads },
  } = node;
  const { emit } = lowering;
  const [o, c, kh, kw] = fourAxes(w.shape);
  if (isPointwise(w.shape, pads)) {
    const { rows, gain } = lowering.scaledRows(dy);
    const scaled =
      gain === undefined
        ? lowering.plain(w)
        : emit.node('Mul', [lowering.plain(w), emit.reshape(gain, [o, 1, 1, 1])]);
    // Transposed as [O, C, 1, 1]: as a matrix, ONNX Runtime would fuse it into the product, which then runs slower.
    const turned = kernelMatrix(lowering, emit.transpose(scaled, [1, 0, 2, 3]));
    lowering.setChannelRows(dx, emit.node('MatMul', [turned, rows]));
    return;
  }
  const method = fast(lowering, dx, dy, w, pads);
  if (method) {
    const { map, gain } = lowering.scaledMap(dy);
    lowering.set(dx, method.inputGrad(map, lowering.plain(w), gain), 'channelMajor');
    return;
  }
  const [top, left, bottom, right] = pads;
  const full: Pads = [kh - 1 - top, kw - 1 - left, kh - 1 - bottom, kw - 1 - right];
  const taps = kh * kw;
  const backwards = emit.int64(Array.from({ length: taps }, (_, i) => taps - 1 - i));
  const flat = emit.reshape(lowering.plain(w), [o, c, taps]);
  const turned = emit.node('Gather', [flat, backwards], { axis: int(2) });
  const kernel = emit.transpose(turned, [1, 0, 2]);
  const map = cropped(lowering, dy, full);
  convChannelMajor(lowering, { map, kernel, size: [kh, kw], pads: atLeast0(full) }, dx);
};

function atLeast0([top, left, bottom, right]: Pads): Pads {
  return [Math.max(top, 0), Math.max(left, 0), Math.max(bottom, 0), Math.max(right, 0)];
}

/** Where height and width lie in a channel-major map. */
function mapAxes(lowering: Lowering): readonly number[] {
  return [lowering.storedAxis(2), lowering.storedAxis(3)];
}

/** A channel-major map without what negative pads take away: windows that lay on padding alone. */
function cropped(lowering: Lowering, value: Value, pads: Pads): Handle {
  const map = lowering.channelMajor(value);
  const [top, left, bottom, right] = atLeast0([-pads[0], -pads[1], -pads[2], -pads[3]]);
  if (top + left + bottom + right === 0) return map;
  const [, , height, width] = fourAxes(value.shape);
  return lowering.emit.slice(map, mapAxes(lowering), [top, left], [height - bottom, width - right]);
}

/**
 * Rows of im2col that one product takes at least: with fewer, dy is read more often than the product pays for; with
 * more, the copied taps need memory (all 25 taps of the 5×5 layer at batch 128: 240 MB).
 */
const minIm2colRows = 96;

/** Shifted copies of a padded channel-major map, as rows [(C, taps), …] that lie over the positions of dy. */
function im2col(
  lowering: Lowering,
  padded: Handle,
  dy: Value,
  taps: readonly (readonly [number, number])[],
): Handle {
  const { emit } = lowering;
  const [n, , height, width] = fourAxes(dy.shape);
  const c = at(padded.shape, 0);
  const size = [c * taps.length, n * height * width];
  if (lowering.batchIsInnermost) {
    const [, paddedHeight, paddedWidth] = fourAxes(padded.shape);
    const positions = taps.flatMap(([i, j]) =>
      Array.from(
        { length: height * width },
        (_, at) => (i + Math.floor(at / width)) * paddedWidth + j + (at % width),
      ),
    );
    const runs = emit.reshape(padded, [c, paddedHeight * paddedWidth, n]);
    return emit.reshape(emit.node('Gather', [runs, emit.int64(positions)], { axis: int(1) }), size);
  }
  const copies = taps.map(([i, j]) => {
    const copy = emit.slice(padded, mapAxes(lowering), [i, j], [i + height, j + width]);
    return emit.reshape(copy, [c, 1, n * height * width]);
  });
  return emit.reshape(emit.node('Concat', copies, { axis: int(1) }), size);
}

/**
 * The gradient in the kernel: for each tap (i, j), dw[:, :, i, j] = dy · shifted(x)ᵀ over all N·H·W positions. Taps are
 * cut out of the padded map and stacked until a product has rows enough.
 */
const convWeightGrad: LoweringRule<ConvAttributes, Two> = (lowering, node) => {
  const {
    inputs: [x, dy],
    outputs: [dw],
    attributes: { pads },
  } = node;
  const { emit } = lowering;
  const [o, c, kh, kw] = fourAxes(dw.shape);
  const map = lowering.channelMajor(x);
  const { rows: dyRows, gain } = lowering.scaledRows(dy);
  /** @param product [O, …], the gradient but for the gain */
  const set = (product: Handle): void => {
    const rows = emit.reshape(product, [o, c * kh * kw]);
    const scaled = gain === undefined ? rows : emit.node('Mul', [rows, gain]);
    lowering.set(dw, emit.reshape(scaled, dw.shape));
  };
  const method = fast(lowering, x, dy, dw, pads);
  if (method) {
    set(method.weightGrad(map, lowering.scaledMap(dy).map));
    return;
  }
  const productWith = (rows: Handle): Handle => emit.node('Gemm', [dyRows, rows], { transB: int(1) });
  if (isPointwise(dw.shape, pads)) {
    set(productWith(lowering.channelRows(x)));
    return;
  }
  const [top, left, bottom, right] = pads;
  const padded = pads.every((p) => p === 0)
    ? map
    : emit.node('Pad', [
        map,
        emit.int64([0, ...lowering.alongMap(0, top, left), 0, ...lowering.alongMap(0, bottom, right)]),
      ]);
  const taps = Array.from({ length: kh * kw }, (_, t) => [Math.floor(t / kw), t % kw] as const);
  const tapsPerProduct = Math.min(taps.length, Math.ceil(minIm2colRows / c));
  const products: Handle[] = [];
  for (let first = 0; first < taps.length; first += tapsPerProduct) {
    const some = taps.slice(first, first + tapsPerProduct);
    const product = productWith(im2col(lowering, padded, dy, some));
    products.push(emit.reshape(product, [o, c, some.length]));
  }
  const all = products.length === 1 ? at(products, 0) : emit.node('Concat', products, { axis: int(2) });
  set(all);
};

export const convRules = { conv, convInputGrad, convWeightGrad };

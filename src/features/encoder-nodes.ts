import { greyWeights } from '../data/grey.js';
import type { GraphFile } from '../onnx/graph-file.js';
import { type Attribute, int, ints, type OnnxNode, onnxDType, string } from '../onnx/model.js';
import type { ImageSize } from '../tensor/image-size.js';
import { float32, type Tensor, tensor } from '../tensor/tensor.js';
import type { EncoderPlan } from './encoder-plan.js';
import type { EncoderPool } from './encoder-settings.js';

/** Nodes under construction, in operators of one version, under names that nothing else in a file has. */
export class NodeList {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Record<string, Tensor> = {};
  readonly #prefix: string;
  readonly opset: number;

  constructor(prefix: string, opset: number) {
    this.#prefix = prefix;
    this.opset = opset;
  }

  /** @returns the name of the node's output */
  add(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const name = `${this.#prefix}/${opType}${this.nodes.length}`;
    this.nodes.push({ name, opType, domain: '', inputs, outputs: [name], attributes });
    return name;
  }

  constant(value: Tensor): string {
    const name = `${this.#prefix}/constant${Object.keys(this.initializers).length}`;
    this.initializers[name] = value;
    return name;
  }

  /** The mean over axes, without them. They are an attribute up to operator set 17. */
  mean(x: string, axes: readonly number[]): string {
    if (this.opset < 18) return this.add('ReduceMean', [x], { axes: ints(axes), keepdims: int(0) });
    return this.add('ReduceMean', [x, this.integers(axes)], { keepdims: int(0) });
  }

  integers(values: readonly number[]): string {
    return this.constant(tensor('int64', [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** Gives the last node's output another name. */
  renameLast(name: string): void {
    const last = this.nodes.at(-1);
    if (last) this.nodes[this.nodes.length - 1] = { ...last, outputs: [name] };
  }
}

/** All names of tensors and nodes in a file. */
export function namesIn({ nodes, initializers, inputs }: GraphFile): string[] {
  return [
    ...nodes.flatMap((node) => [node.name, ...node.inputs, ...node.outputs, ...node.captured]),
    ...[...initializers, ...inputs].map(({ name }) => name),
  ];
}

/** A prefix that no tensor and no node of a file begins with. */
export function freePrefix(file: GraphFile): string {
  const names = namesIn(file);
  for (let i = 0; ; i++) {
    const prefix = i === 0 ? 'quarterturn' : `quarterturn${i}`;
    if (!names.some((name) => name.startsWith(`${prefix}/`) || name === prefix)) return prefix;
  }
}

/**
 * Nodes that make what a network takes of images as they lie: uint8 [N, H, W, C].
 *
 *   x = (resized(image) / 255 − mean) / std, in the network's layout
 *
 * Images of another size are resized by linear interpolation between the centres of pixels, without a filter before: what
 * all runtimes do alike. Colours become grey by brightness, grey becomes three equal channels.
 *
 * @param images name of the input
 * @param size of the images
 */
export function addPreparation(list: NodeList, plan: EncoderPlan, images: string, size: ImageSize): void {
  const { channels } = plan;
  const isSame = size.height === plan.height && size.width === plan.width && size.channels === channels;
  if (plan.dtype === 'uint8' && plan.layout === 'NHWC' && isSame) {
    list.add('Identity', [images]);
    list.renameLast(plan.input);
    return;
  }
  let x = addScaling(list, plan, list.add('Cast', [images], { to: int(onnxDType.float32) }), size.channels);
  x = list.add('Transpose', [x], { perm: ints([0, 3, 1, 2]) });
  if (size.height !== plan.height || size.width !== plan.width) {
    const scales = float32([4], [1, 1, scaleOf(size.height, plan.height), scaleOf(size.width, plan.width)]);
    // Up to operator set 12, a region has to be named that only cropping uses.
    const region = list.opset < 13 ? list.constant(float32([0], [])) : '';
    x = list.add('Resize', [x, region, list.constant(scales)], {
      mode: string('linear'),
      coordinate_transformation_mode: string('half_pixel'),
    });
  }
  if (plan.layout === 'NHWC') x = list.add('Transpose', [x], { perm: ints([0, 2, 3, 1]) });
  // Interpolation leaves fractions, and a cast cuts them off.
  if (plan.dtype === 'uint8') {
    x = list.add('Add', [x, list.constant(float32([], [0.5]))]);
    list.add('Cast', [x], { to: int(onnxDType.uint8) });
  }
  list.renameLast(plan.input);
}

/**
 * The scaling of [N, H, W, from] to the network's channels, as a product and a sum with the channels last: OpenCV's readers
 * multiply by a number for each channel in no other form. It may come before resizing, whose weights sum to 1.
 */
function addScaling(list: NodeList, plan: EncoderPlan, x: string, from: number): string {
  const { channels } = plan;
  const isScaled = plan.dtype === 'float32';
  const factors = plan.std.map((std) => (isScaled ? 1 / (255 * std) : 1));
  const share = (source: number, channel: number): number => {
    if (from === channels) return source === channel ? 1 : 0;
    return from === 3 ? (greyWeights[source] ?? 0) : 1;
  };
  const kernel = Array.from({ length: from * channels }, (_, i) => {
    const [source, channel] = [Math.floor(i / channels), i % channels];
    return share(source, channel) * (factors[channel] ?? 1);
  });
  const scaled = list.add('MatMul', [x, list.constant(float32([from, channels], kernel))]);
  if (!isScaled) return scaled;
  const shifts = plan.mean.map((mean, c) => -mean / (plan.std[c] ?? 1));
  return list.add('Add', [scaled, list.constant(float32([channels], shifts))]);
}

/** The scale that gives exactly the wanted size: runtimes cut the product with the size, which rounding may leave below it. */
function scaleOf(from: number, to: number): number {
  const scale = Math.fround(to / from);
  return Math.floor(from * scale) >= to ? scale : Math.fround((to / from) * (1 + 2 ** -22));
}

/** How a network's output becomes one row for an image. */
export interface Pooling {
  readonly pool: EncoderPool;
  /** Shape of the output for one image. */
  readonly shape: readonly number[];
  /** Tokens before those of patches: the class token, and registers behind it. */
  readonly leading: number;
}

/**
 * Nodes that make one row of length 1 of a network's output.
 *
 *   none      the output, flattened
 *   mean      of all positions; of tokens: of the patches
 *   cls       the first token
 *   cls+mean  [ √½ · cls, √½ · mean ], each of length 1: neither outweighs the other
 *
 * @returns name of the rows, float32 [N, D]
 */
export function addPooling(list: NodeList, plan: EncoderPlan, { pool, shape, leading }: Pooling): string {
  const { output } = plan;
  const features = featuresIn(plan, shape, pool);
  const [tokens = 1] = shape.slice(1);
  const cls = () => list.add('Gather', [output, list.constant(indexTensor(0))], { axis: int(1) });
  const mean = () => {
    if (shape.length === 4) {
      const maps =
        plan.layout === 'NCHW' ? output : list.add('Transpose', [output], { perm: ints([0, 3, 1, 2]) });
      return list.add('Flatten', [list.add('GlobalAveragePool', [maps])], { axis: int(1) });
    }
    if (leading === 0) return list.mean(output, [1]);
    const [from, to, axis] = [leading, tokens, 1].map((value) => list.integers([value])) as [
      string,
      string,
      string,
    ];
    return list.mean(list.add('Slice', [output, from, to, axis]), [1]);
  };
  switch (pool) {
    case 'cls':
      return addUnitLength(list, cls(), features);
    case 'mean':
      return addUnitLength(list, mean(), features);
    case 'none':
      return addUnitLength(list, list.add('Flatten', [output], { axis: int(1) }), features);
    case 'cls+mean': {
      const both = [addUnitLength(list, cls(), features), addUnitLength(list, mean(), features)];
      const half = list.constant(float32([1], [Math.SQRT1_2]));
      return list.add('Mul', [list.add('Concat', both, { axis: int(1) }), half]);
    }
  }
}

function indexTensor(index: number): Tensor {
  return tensor('int64', [], BigInt64Array.of(BigInt(index)));
}

/** Keeps rows of zeros from being divided by 0. */
const tiny = 1e-12;

/**
 * Rows scaled to length 1. Sums of squares are products with ones, as long as the rows: OpenCV's older readers know neither
 * sums of one axis nor a division of rows of other lengths.
 */
function addUnitLength(list: NodeList, x: string, length: number): string {
  const ones = (shape: readonly number[]) => list.constant(float32(shape, new Float32Array(length).fill(1)));
  const sums = list.add('MatMul', [list.add('Mul', [x, x]), ones([length, 1])]);
  const spread = list.add('MatMul', [sums, ones([1, length])]);
  const lengths = list.add('Sqrt', [list.add('Add', [spread, list.constant(float32([1], [tiny]))])]);
  return list.add('Div', [x, lengths]);
}

/** Number of features that pooling gives. */
export function pooledLength(plan: EncoderPlan, { pool, shape }: Pooling): number {
  return (pool === 'cls+mean' ? 2 : 1) * featuresIn(plan, shape, pool);
}

/** Features of one position, or of all where they are flattened. */
function featuresIn({ layout }: EncoderPlan, shape: readonly number[], pool: EncoderPool): number {
  const own = shape.slice(1);
  if (pool === 'none') return own.reduce((a, b) => a * b, 1);
  return (own.length === 3 && layout === 'NCHW' ? own[0] : own.at(-1)) ?? 1;
}

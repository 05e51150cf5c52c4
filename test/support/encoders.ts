import { encodeModel } from '../../src/onnx/encode.js';
import {
  type Attribute,
  float,
  int,
  ints,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
} from '../../src/onnx/model.js';
import { Random } from '../../src/random/random.js';
import { float32, sizeOf, type Tensor, tensor } from '../../src/tensor/tensor.js';

/** A network in the operators that exporters write, with random weights. */
class NetworkFile {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Record<string, Tensor> = {};
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = Random.seeded(seed);
  }

  node(opType: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const name = `/${opType}_${this.nodes.length}_output_0`;
    this.nodes.push({
      name: `/${opType}_${this.nodes.length}`,
      opType,
      domain: '',
      inputs,
      outputs: [name],
      attributes,
    });
    return name;
  }

  /** Names an output as exporters do, without a node of its own. */
  rename(from: string, to: string): void {
    const rename = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
    this.nodes.forEach((node, i) => {
      this.nodes[i] = { ...node, inputs: rename(node.inputs), outputs: rename(node.outputs) };
    });
  }

  constant(value: Tensor): string {
    const name = `onnx::Constant_${Object.keys(this.initializers).length}`;
    this.initializers[name] = value;
    return name;
  }

  integers(...values: number[]): string {
    return this.constant(tensor('int64', [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** Weights whose products keep the size of what they are multiplied with. */
  weights(shape: readonly number[], fanIn: number): string {
    const random = this.#random.split('weights', Object.keys(this.initializers).length);
    const scale = Math.sqrt(12 / fanIn);
    return this.constant(
      float32(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => scale * (random.uniform() - 0.5)),
      ),
    );
  }

  /** Layer normalisation of the last axis, in parts, as exporters up to operator set 16 write it. */
  layerNorm(x: string): string {
    const mean = this.node('ReduceMean', [x], { axes: ints([-1]), keepdims: int(1) });
    const centred = this.node('Sub', [x, mean]);
    const squares = this.node('Pow', [centred, this.constant(float32([], [2]))]);
    const variance = this.node('ReduceMean', [squares], { axes: ints([-1]), keepdims: int(1) });
    const deviation = this.node('Sqrt', [this.node('Add', [variance, this.constant(float32([], [1e-6]))])]);
    return this.node('Div', [centred, deviation]);
  }

  encode(
    inputs: readonly OnnxValueInfo[],
    outputs: readonly OnnxValueInfo[],
    opset = 13,
    metadata: OnnxModel['metadata'] = {},
  ): Uint8Array<ArrayBuffer> {
    const { nodes, initializers } = this;
    const model = { name: 'main_graph', nodes, initializers, inputs, outputs, metadata };
    return encodeModel(model, { opset, ir: 7 }) as Uint8Array<ArrayBuffer>;
  }
}

export interface VisionTransformerOptions {
  readonly size?: number;
  readonly patch?: number;
  readonly features?: number;
  readonly blocks?: number;
  /** Hidden features of each block's two layers, as a multiple. */
  readonly expansion?: number;
  readonly heads?: number;
}

/** A vision transformer as exporters write it: `pixel_values` in, `last_hidden_state` and `pooler_output` out. */
export function encodeVisionTransformer(options: VisionTransformerOptions = {}): Uint8Array<ArrayBuffer> {
  const { size = 28, patch = 14, features: d = 16, blocks = 2, expansion = 4, heads = 2 } = options;
  const file = new NetworkFile(3);
  const kernel = file.weights([d, 3, patch, patch], 3 * patch * patch);
  let x = file.node('Conv', ['pixel_values', kernel, file.weights([d], 1)], {
    kernel_shape: ints([patch, patch]),
    strides: ints([patch, patch]),
  });
  x = file.node('Transpose', [file.node('Reshape', [x, file.integers(0, d, -1)])], { perm: ints([0, 2, 1]) });
  const shape = file.node('Shape', ['pixel_values']);
  const batch = file.node('Gather', [shape, file.integers(0)], { axis: int(0) });
  const wanted = file.node('Concat', [batch, file.integers(1), file.integers(d)], { axis: int(0) });
  const token = file.node('Expand', [file.weights([1, 1, d], 1), wanted]);
  x = file.node('Concat', [token, x], { axis: int(1) });
  const tokens = (size / patch) ** 2 + 1;
  x = file.node('Add', [x, file.weights([1, tokens, d], 1)]);
  const apart = (y: string, perm: readonly number[]) =>
    file.node('Transpose', [file.node('Reshape', [y, file.integers(0, 0, heads, d / heads)])], {
      perm: ints(perm),
    });
  for (let i = 0; i < blocks; i++) {
    const y = file.layerNorm(x);
    const [q, k, v] = [0, 1, 2].map(() => file.node('MatMul', [y, file.weights([d, d], d)])) as [
      string,
      string,
      string,
    ];
    const products = file.node('MatMul', [apart(q, [0, 2, 1, 3]), apart(k, [0, 2, 3, 1])]);
    const scaled = file.node('Mul', [products, file.constant(float32([], [Math.sqrt(heads / d)]))]);
    const attention = file.node('MatMul', [
      file.node('Softmax', [scaled], { axis: int(-1) }),
      apart(v, [0, 2, 1, 3]),
    ]);
    const joined = file.node('Reshape', [
      file.node('Transpose', [attention], { perm: ints([0, 2, 1, 3]) }),
      file.integers(0, 0, d),
    ]);
    x = file.node('Add', [x, file.node('MatMul', [joined, file.weights([d, d], d)])]);
    const hidden = file.node('MatMul', [file.layerNorm(x), file.weights([d, expansion * d], d)]);
    const half = file.node('Div', [hidden, file.constant(float32([], [Math.SQRT2]))]);
    const gate = file.node('Add', [file.node('Erf', [half]), file.constant(float32([], [1]))]);
    const gelu = file.node('Mul', [file.node('Mul', [hidden, gate]), file.constant(float32([], [0.5]))]);
    x = file.node('Add', [x, file.node('MatMul', [gelu, file.weights([expansion * d, d], expansion * d)])]);
  }
  file.rename(file.layerNorm(x), 'last_hidden_state');
  const index = file.constant(tensor('int64', [], BigInt64Array.of(0n)));
  file.rename(file.node('Gather', ['last_hidden_state', index], { axis: int(1) }), 'pooler_output');
  return file.encode(
    [{ name: 'pixel_values', dtype: 'float32', shape: ['batch_size', 'num_channels', 'height', 'width'] }],
    [
      { name: 'last_hidden_state', dtype: 'float32', shape: ['batch_size', 'sequence_length', d] },
      { name: 'pooler_output', dtype: 'float32', shape: ['batch_size', d] },
    ],
  );
}

export interface MobileNetOptions {
  readonly size?: number;
  readonly features?: number;
  readonly classes?: number;
  readonly opset?: number;
  /** Channels and stride of each block behind the first convolution. */
  readonly blocks?: readonly (readonly [channels: number, stride: number])[];
  readonly layout?: 'NCHW' | 'NHWC';
  /** What the batch axis of the input says. */
  readonly batch?: number | string;
  readonly channels?: number;
  /** Relu in place of Relu6, whose limits some readers want as attributes. */
  readonly relu?: boolean;
  /** What stands in place of the classifier. */
  readonly end?: 'classifier' | 'maps' | 'batch mean';
}

/** A network of depthwise convolutions as exporters write it: `pixel_values` in, `logits` out. */
export function encodeMobileNet(options: MobileNetOptions = {}): Uint8Array<ArrayBuffer> {
  const {
    size = 32,
    features = 24,
    classes = 10,
    opset = 13,
    layout = 'NCHW',
    batch = 'batch_size',
  } = options;
  const { channels = 3, end = 'classifier', relu = false } = options;
  const {
    blocks = [
      [12, 1],
      [16, 2],
    ] as const,
  } = options;
  const file = new NetworkFile(4);
  const relu6 = (x: string) =>
    relu
      ? file.node('Relu', [x])
      : file.node('Clip', [x, file.constant(float32([], [0])), file.constant(float32([], [6]))]);
  const conv = (x: string, from: number, to: number, k: number, stride: number, group = 1) =>
    file.node(
      'Conv',
      [x, file.weights([to, from / group, k, k], (k * k * from) / group), file.weights([to], 400)],
      {
        kernel_shape: ints([k, k]),
        strides: ints([stride, stride]),
        pads: ints(Array.from({ length: 4 }, () => (k - 1) / 2)),
        group: int(group),
      },
    );
  let x =
    layout === 'NHWC'
      ? file.node('Transpose', ['pixel_values'], { perm: ints([0, 3, 1, 2]) })
      : 'pixel_values';
  let width = 8;
  x = relu6(conv(x, channels, width, 3, 2));
  for (const [to, stride] of blocks) {
    x = relu6(conv(x, width, width, 3, stride, width));
    x = conv(x, width, to, 1, 1);
    const gate = file.node('HardSigmoid', [x], { alpha: float(1 / 6), beta: float(0.5) });
    x = file.node('Mul', [x, gate]);
    width = to;
  }
  x = relu6(conv(x, width, features, 1, 1));
  const input = {
    name: 'pixel_values',
    dtype: 'float32' as const,
    shape: layout === 'NCHW' ? [batch, channels, size, size] : [batch, size, size, channels],
  };
  if (end === 'maps') {
    file.rename(x, 'features');
    return file.encode(
      [input],
      [{ name: 'features', dtype: 'float32', shape: [batch, features, 'h', 'w'] }],
      opset,
    );
  }
  x = file.node('Flatten', [file.node('GlobalAveragePool', [x])], { axis: int(1) });
  if (end === 'batch mean') {
    const mean = file.node('ReduceMean', [x], { axes: ints([0]), keepdims: int(1) });
    file.rename(file.node('Sub', [x, mean]), 'features');
    return file.encode([input], [{ name: 'features', dtype: 'float32', shape: [batch, features] }], opset);
  }
  const head = file.weights([classes, features], features);
  file.rename(file.node('Gemm', [x, head, file.weights([classes], 4)], { transB: int(1) }), 'logits');
  return file.encode([input], [{ name: 'logits', dtype: 'float32', shape: [batch, classes] }], opset);
}

/** A network in which a product is quantised by what is in the batch. */
export function encodeDynamicallyQuantised(): Uint8Array<ArrayBuffer> {
  const file = new NetworkFile(5);
  const flat = file.node('Flatten', ['pixel_values'], { axis: int(1) });
  file.nodes.push({
    ...{ name: 'quantise', opType: 'DynamicQuantizeLinear', domain: '', inputs: [flat], attributes: {} },
    outputs: ['q', 'scale', 'zero'],
  });
  file.rename(file.node('DequantizeLinear', ['q', 'scale', 'zero']), 'features');
  return file.encode(
    [{ name: 'pixel_values', dtype: 'float32', shape: ['N', 3, 8, 8] }],
    [{ name: 'features', dtype: 'float32', shape: ['N', 192] }],
  );
}

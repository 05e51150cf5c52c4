import {
  add,
  avgPool,
  batchNormInference,
  batchNormTrain,
  conv,
  matMul,
  maxPool,
  mul,
  reduceMean,
  relu,
  samePads,
  samePoolPads,
  scoped,
  type Value,
} from '../graph/index.js';
import { at } from '../tensor/elements.js';
import type { Block, BlockBuilder, LayerInfo, MapShape, ParamSpec } from './block.js';

export interface ConvUnitSettings {
  readonly name: string;
  readonly kernelSize: number;
  /** Channels of the maps that come out. */
  readonly channels: number;
  /** What BatchNorm adds to the variance; default: 1e-3 as in Keras. */
  readonly batchNormEpsilon?: number | undefined;
  /** What follows BatchNorm; default: `relu`. `none`: something is added to the maps first. */
  readonly activation?: 'relu' | 'none';
}

/** Convolution without bias, BatchNorm, ReLU: the unit that every backbone is made of. Keeps H×W. */
export function convUnit(settings: ConvUnitSettings): BlockBuilder {
  return (input) => buildConvUnit(settings, input);
}

function buildConvUnit(
  { name, kernelSize, channels, batchNormEpsilon: epsilon = 1e-3, activation = 'relu' }: ConvUnitSettings,
  [inChannels, height, width]: MapShape,
): Block {
  const perChannel = (
    tensor: string,
    kind: ParamSpec['kind'],
    initializer: ParamSpec['initializer'],
  ): ParamSpec => ({
    name: `${name}.norm.${tensor}`,
    shape: [channels],
    initializer,
    kind,
  });
  const kernel: ParamSpec = {
    name: `${name}.kernel`,
    shape: [channels, inChannels, kernelSize, kernelSize],
    initializer: 'glorotUniform',
    kind: 'param',
  };
  const norm = {
    scale: perChannel('scale', 'param', 'ones'),
    shift: perChannel('shift', 'param', 'zeros'),
    mean: perChannel('movingMean', 'buffer', 'zeros'),
    variance: perChannel('movingVariance', 'buffer', 'ones'),
  };
  const outputShape = [height, width, channels];
  const layers: LayerInfo[] = [
    { name, type: 'Conv2D', outputShape, params: [kernel] },
    { name: `${name}.norm`, type: 'BatchNormalization', outputShape, params: Object.values(norm) },
  ];
  if (activation === 'relu') {
    layers.push({ name: `${name}.relu`, type: 'Activation', outputShape, params: [] });
  }
  const activate = activation === 'relu' ? relu : (y: Value) => y;
  const pads = samePads(kernelSize, kernelSize);

  return {
    name,
    layers,
    outputShape: [channels, height, width],
    apply: (x, bindings, mode) =>
      scoped(name, () => {
        const y = conv(x, bindings.get(kernel.name), { pads });
        const scale = bindings.get(norm.scale.name);
        const shift = bindings.get(norm.shift.name);
        const mean = bindings.get(norm.mean.name);
        const variance = bindings.get(norm.variance.name);
        if (mode === 'stored')
          return activate(batchNormInference(y, { scale, shift, mean, variance }, { epsilon }));
        const { momentum } = mode;
        const normed = batchNormTrain(y, scale, shift, { epsilon });
        bindings.updates[norm.mean.name] = movingAverage(mean, normed.mean, momentum);
        // The moving variance collects the unbiased estimate σ²·n/(n−1), as Keras's fused BatchNorm and cuDNN do.
        const n = at(y.shape, 0) * height * width;
        const unbiased = mul(normed.variance, n / Math.max(n - 1, 1));
        bindings.updates[norm.variance.name] = movingAverage(variance, unbiased, momentum);
        return activate(normed.y);
      }),
  };
}

/** momentum·old + (1 − momentum)·batch */
function movingAverage(old: Value, batch: Value, momentum: number): Value {
  return add(mul(old, momentum), mul(batch, 1 - momentum));
}

/** Both windowed pools: 3×3 every 2, overlapping, as in the Network-in-Network that RotNet took over. */
const poolWindow = { kernel: [3, 3], strides: [2, 2] } as const;

/** Halves the maps, rounding up, by the maximum or the mean of windows. */
export function pool(name: string, kind: 'max' | 'average'): BlockBuilder {
  const type = kind === 'max' ? 'MaxPooling2D' : 'AveragePooling2D';
  const reduce = kind === 'max' ? maxPool : avgPool;
  return ([channels, height, width]) => {
    const { kernel, strides } = poolWindow;
    const attributes = { kernel, strides, pads: samePoolPads([height, width], kernel, strides) };
    const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
    return {
      name,
      layers: [{ name, type, outputShape: [rows, columns, channels], params: [] }],
      outputShape: [channels, rows, columns],
      apply: (x) => scoped(name, () => reduce(x, attributes)),
    };
  };
}

/** Mean of each whole map: [N, C, H, W] → [N, C]. */
export function globalPool(name: string): BlockBuilder {
  return ([channels]) => ({
    name,
    layers: [{ name, type: 'GlobalAveragePooling2D', outputShape: [channels], params: [] }],
    outputShape: [channels],
    apply: (x) => scoped(name, () => reduceMean(x, [2, 3])),
  });
}

/** x·kernel + bias. x: [N, in] → [N, out]. */
export function dense(name: string, inputs: number, outputs: number): Block {
  const kernel: ParamSpec = {
    name: `${name}.kernel`,
    shape: [inputs, outputs],
    initializer: 'glorotUniform',
    kind: 'param',
  };
  const bias: ParamSpec = { name: `${name}.bias`, shape: [outputs], initializer: 'zeros', kind: 'param' };
  return {
    name,
    layers: [{ name, type: 'Dense', outputShape: [outputs], params: [kernel, bias] }],
    outputShape: [outputs],
    apply: (x, bindings) =>
      scoped(name, () => add(matMul(x, bindings.get(kernel.name)), bindings.get(bias.name))),
  };
}

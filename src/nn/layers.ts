import {
  add,
  batchNormInference,
  batchNormTrain,
  conv,
  matMul,
  mul,
  relu,
  samePads,
  scoped,
  type Value,
} from '../graph/index.js';
import type { Block, LayerInfo, ParamSpec } from './network.js';

export interface BatchNormSettings {
  /**
   * Share of the old moving statistics kept at each step: new = momentum·old + (1 − momentum)·batch. Keras's 0.99
   * needs hundreds of steps before the statistics are the network's own; see `reestimateStatistics`.
   */
  readonly momentum: number;
  /** Added to the variance; 1e-3 as in Keras. */
  readonly epsilon: number;
}

export interface ConvUnitSettings {
  readonly name: string;
  readonly kernelSize: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly height: number;
  readonly width: number;
  readonly batchNorm: BatchNormSettings;
}

/** Convolution without bias, BatchNorm, ReLU: the unit that the whole network is made of. Keeps H×W. */
export function convUnit({
  name,
  kernelSize,
  inChannels,
  outChannels,
  height,
  width,
  batchNorm,
}: ConvUnitSettings): Block {
  const perChannel = (
    tensor: string,
    kind: ParamSpec['kind'],
    initializer: ParamSpec['initializer'],
  ): ParamSpec => ({
    name: `${name}.norm.${tensor}`,
    shape: [outChannels],
    initializer,
    kind,
  });
  const kernel: ParamSpec = {
    name: `${name}.kernel`,
    shape: [outChannels, inChannels, kernelSize, kernelSize],
    initializer: 'glorotUniform',
    kind: 'param',
  };
  const norm = {
    scale: perChannel('scale', 'param', 'ones'),
    shift: perChannel('shift', 'param', 'zeros'),
    mean: perChannel('movingMean', 'buffer', 'zeros'),
    variance: perChannel('movingVariance', 'buffer', 'ones'),
  };
  const outputShape = [height, width, outChannels];
  const layers: LayerInfo[] = [
    { name: `${name}`, type: 'Conv2D', outputShape, params: [kernel] },
    { name: `${name}.norm`, type: 'BatchNormalization', outputShape, params: Object.values(norm) },
    { name: `${name}.relu`, type: 'Activation', outputShape, params: [] },
  ];
  const pads = samePads(kernelSize, kernelSize);

  return {
    name,
    layers,
    outputShape: [outChannels, height, width],
    apply: (x, bindings, mode) =>
      scoped(name, () => {
        const y = conv(x, bindings.get(kernel.name), { pads });
        const scale = bindings.get(norm.scale.name);
        const shift = bindings.get(norm.shift.name);
        const mean = bindings.get(norm.mean.name);
        const variance = bindings.get(norm.variance.name);
        if (mode === 'stored')
          return relu(batchNormInference(y, { scale, shift, mean, variance }, batchNorm));
        const normed = batchNormTrain(y, scale, shift, batchNorm);
        bindings.updates[norm.mean.name] = movingAverage(mean, normed.mean, batchNorm.momentum);
        // The moving variance collects the unbiased estimate σ²·n/(n−1), as Keras's fused BatchNorm and cuDNN do.
        const n = y.shape[0]! * height * width;
        const unbiased = mul(normed.variance, n / Math.max(n - 1, 1));
        bindings.updates[norm.variance.name] = movingAverage(variance, unbiased, batchNorm.momentum);
        return relu(normed.y);
      }),
  };
}

/** momentum·old + (1 − momentum)·batch */
function movingAverage(old: Value, batch: Value, momentum: number): Value {
  return add(mul(old, momentum), mul(batch, 1 - momentum));
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

/** RotNet's forward pass in TensorFlow.js, BatchNorm folded into the convolutions as its own converter does. */
import {
  batchesOf,
  readFlags,
  readTensors,
  report,
  timeSteps,
} from '../../dist/bench/bench/programs/program.js';
import { startBackend, tf } from './backend.mjs';

const epsilon = 1e-3;
const flags = readFlags({ backend: 'wasm', batch: 128, weights: '', batches: '' });
const version = await startBackend(flags.backend);
const weights = readTensors(flags.weights);
const batches = batchesOf(readTensors(flags.batches)).map(({ images }) => {
  const [, height, width] = images.shape;
  const shape = [flags.batch, height, width, 1];
  return tf.tensor(images.data.subarray(0, flags.batch * height * width), shape, 'int32');
});

/** Kernel [kh, kw, C, O] and bias of a convolution with its BatchNorm: w·a and shift − mean·a, a = scale/√(variance + ε). */
function foldedUnit(name) {
  const { data, shape } = weights[`${name}.kernel`];
  return tf.tidy(() => {
    const [scale, shift, mean, variance] = ['scale', 'shift', 'movingMean', 'movingVariance'].map((part) =>
      tf.tensor1d(weights[`${name}.norm.${part}`].data),
    );
    const gain = tf.div(scale, tf.sqrt(tf.add(variance, epsilon)));
    const kernel = tf.transpose(tf.tensor4d(data, shape), [2, 3, 1, 0]);
    return { filter: tf.mul(kernel, gain), bias: tf.sub(shift, tf.mul(mean, gain)) };
  });
}

const blocks = [1, 2, 3].map((b) => [1, 2, 3].map((c) => foldedUnit(`block${b}.conv${c}`)));
const pools = [
  (x) => tf.maxPool(x, 3, 2, 'same'),
  (x) => tf.avgPool(x, 3, 2, 'same'),
  (x) => tf.mean(x, [1, 2]),
];
const headKernel = tf.tensor2d(weights['head.kernel'].data, weights['head.kernel'].shape);
const headBias = tf.tensor1d(weights['head.bias'].data);

/** Convolution, BatchNorm and ReLU as one call. */
const unit = (x, { filter, bias }) =>
  tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'same', activation: 'relu' });

async function run(i) {
  const logits = tf.tidy(() => {
    const maps = tf.div(tf.cast(batches[i % batches.length], 'float32'), 255);
    const features = blocks.reduce((x, units, b) => pools[b](units.reduce(unit, x)), maps);
    return tf.add(tf.matMul(features, headKernel), headBias);
  });
  const data = await logits.data();
  logits.dispose();
  return data;
}

const checks = Array.from(await run(0));
const stepMs = await timeSteps(flags, run);
report({ version, imagesPerStep: flags.batch, stepMs, checks });

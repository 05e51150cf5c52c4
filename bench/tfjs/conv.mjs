/** The 5×5 convolution with both gradients in TensorFlow.js; its WebAssembly backend has no gradient for the kernel. */
import { convChecks, convOperands } from '../../dist/bench/bench/programs/conv-operands.js';
import { readFlags, report, timeSteps } from '../../dist/bench/bench/programs/program.js';
import { startBackend, tf } from './backend.mjs';

const flags = readFlags({ backend: 'cpu', operands: '', batch: 1 });
const version = await startBackend(flags.backend);
const operands = convOperands(flags.operands, flags.batch);
const channelsLast = ({ data, shape }) => tf.tidy(() => tf.transpose(tf.tensor(data, shape), [0, 2, 3, 1]));
const [x, dy] = [channelsLast(operands.x), channelsLast(operands.dy)];
const w = tf.tidy(() => tf.transpose(tf.tensor(operands.w.data, operands.w.shape), [2, 3, 1, 0]));
const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dimRoundingMode: undefined };

/** The kernels that tfjs's own gradients call; those are not in its package for Node. */
const run = async () => {
  const gradientKernel = (name, inputs, shape) =>
    tf.engine().runKernel(name, inputs, { ...attributes, ...shape });
  const results = [
    tf.conv2d(x, w, 1, 'same'),
    gradientKernel('Conv2DBackpropInput', { dy, filter: w }, { inputShape: x.shape }),
    gradientKernel('Conv2DBackpropFilter', { x, dy }, { filterShape: w.shape }),
  ];
  await Promise.all(results.map((t) => t.data()));
  return results;
};

const [y, dx, dw] = await run();
const mapsFirst = [0, 3, 1, 2];
const plain = [tf.transpose(y, mapsFirst), tf.transpose(dx, mapsFirst), tf.transpose(dw, [3, 2, 0, 1])];
const checks = convChecks(flags.batch, await Promise.all(plain.map((t) => t.data())));
const stepMs = await timeSteps(flags, async () => tf.dispose(await run()));
report({ version, imagesPerStep: flags.batch, stepMs, checks });

/** Our training step, lowered as the product does it or naively; buffers take turns as in the product's loop. */
import { encodeModel } from '../../src/onnx/encode.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import { cloneTensor, scalar, type Tensors } from '../../src/tensor/tensor.js';
import { flattenState, nextPrefix } from '../../src/train/state.js';
import { buildTrainStep, initialState, stepNames } from '../../src/train/train-step.js';
import { lowerNaively, naiveVersion } from '../naive-lowering.js';
import { notebookStep, stepSettings } from '../settings.js';
import { batchesOf, readFlags, readTensors, report, timeSteps } from './program.js';

const flags = readFlags({ ...notebookStep, weights: '', batches: '', lowering: 'ours' });
const weights = readTensors(flags.weights);
const batches = batchesOf(readTensors(flags.batches));
const batchSize = batches[0]!.targets!.shape[0]!;
const settings = stepSettings(flags, { batchSize, batch: 'features' in batches[0]! ? 'features' : 'images' });

const runtime = await createNodeRuntime({ device: 'cpu', threads: flags.threads });
const graph = buildTrainStep(settings);
const program =
  flags.lowering === 'naive'
    ? await runtime.load(encodeModel(lowerNaively(graph), naiveVersion))
    : await runtime.compile(graph);

/** A state and the outputs that are written into it. */
function buffers(state: Tensors) {
  const copies = Object.entries(state).map(([name, t]) => [name, cloneTensor(t)] as const);
  return {
    state: Object.fromEntries(copies),
    into: Object.fromEntries(copies.map(([name, t]) => [nextPrefix + name, t])),
  };
}

const fixed = { ...weights, [stepNames.learningRate]: scalar(flags.rate) };
const start = flattenState(initialState(settings, weights));
let [current, spare] = [buffers(start), buffers(start)];
const losses: number[] = [];
const stepMs = await timeSteps(flags, async (i) => {
  const inputs = { ...fixed, ...batches[i % batches.length]!, ...current.state };
  const outputs = await program.run(inputs, spare.into);
  [current, spare] = [spare, current];
  losses.push(Number(outputs[stepNames.loss]!.data[0]));
});
report({ version: runtime.version, imagesPerStep: batchSize, stepMs, checks: losses });

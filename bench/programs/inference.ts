/** Our classifier, from uint8 images to logits. */
import { createNodeRuntime } from '../../src/runtime/node.js';
import { buildClassifier } from '../../src/train/forward.js';
import { networkOf, rotnet } from '../settings.js';
import { batchesOf, readFlags, readTensors, report, timeSteps } from './program.js';

const flags = readFlags({ ...rotnet, classes: 10, weights: '', batches: '' });
const batches = batchesOf(readTensors(flags.batches));
const batchSize = batches[0]!.images!.shape[0]!;
const network = networkOf(flags, flags.classes);
const runtime = await createNodeRuntime({ device: 'cpu', threads: flags.threads });
const program = await runtime.compile(buildClassifier(network, readTensors(flags.weights), { batchSize }));

const run = async (i: number) =>
  (await program.run({ images: batches[i % batches.length]!.images! })).logits!;
const checks = Array.from((await run(0)).data as Float32Array);
const stepMs = await timeSteps(flags, run);
report({ version: runtime.version, imagesPerStep: batchSize, stepMs, checks });

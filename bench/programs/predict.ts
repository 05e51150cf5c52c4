/**
 * Our evaluation: logits of images in memory, as a run computes them for its test images. Each pass compiles its program anew,
 * as each evaluation does.
 */
import { imagesInMemory } from '../../src/data/image-source.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import { computeLogits } from '../../src/train/evaluate.js';
import { networkOf, rotnet } from '../settings.js';
import { readFlags, readTensors, report, timeSteps } from './program.js';

const flags = readFlags({ ...rotnet, classes: 10, weights: '', batches: '' });
const { shape, data } = readTensors(flags.batches).images!;
const [, , height, width, channels] = shape as readonly [number, number, number, number, number];
const images = imagesInMemory({ name: 'images', pixels: data as Uint8Array, height, width, channels });
const network = networkOf(flags, flags.classes);
const weights = readTensors(flags.weights);
const runtime = await createNodeRuntime({ device: 'cpu', threads: flags.threads });

const run = () => computeLogits(network, weights, { title: 'images', images }, { runtime });
const checks = Array.from(await run());
const stepMs = await timeSteps(flags, run);
report({ version: runtime.version, imagesPerStep: images.count, stepMs, checks });

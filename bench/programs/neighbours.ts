/** Our nearest neighbours of each row among the others by cosine. */
import { createNodeRuntime } from '../../src/runtime/node.js';
import { nearestNeighbours } from '../../src/similarity/neighbours.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { cosinesOf } from './cosines.js';
import { readFlags, readTensors, report, timeSteps } from './program.js';

const flags = readFlags({ rows: '', count: 10 });
const rows = readTensors(flags.rows).rows as Tensor<'float32'>;
const runtime = await createNodeRuntime({ device: 'cpu', threads: flags.threads });
const { count } = flags;

const run = () => nearestNeighbours(rows, { runtime }, { count, title: 'neighbours' });
const checks = cosinesOf(rows, (await run()).indices, count);
const stepMs = await timeSteps(flags, run);
report({ version: runtime.version, imagesPerStep: rows.shape[0]!, stepMs, checks });

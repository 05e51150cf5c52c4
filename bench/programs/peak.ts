/** A large matrix product on ONNX Runtime: what this machine's multiply-add units give in practice. */
import { graph, input, matMul } from '../../src/graph/index.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import { zeros } from '../../src/tensor/tensor.js';
import { readFlags, report, timeSteps } from './program.js';

const flags = readFlags({ size: 2048 });
const shape = [flags.size, flags.size];
const runtime = await createNodeRuntime({ device: 'cpu', threads: flags.threads });
const product = matMul(input('a', 'float32', shape), input('b', 'float32', shape));
const program = await runtime.compile(graph({ product }));
const [a, b, into] = [zeros('float32', shape), zeros('float32', shape), zeros('float32', shape)];
// No zeros and nothing that grows: every multiply-add counts, none is denormal.
a.data.fill(0.5);
b.data.fill(0.25);

const stepMs = await timeSteps(flags, () => program.run({ a, b }, { product: into }));
report({ version: runtime.version, imagesPerStep: 1, stepMs, checks: [into.data[0]!] });

/** The 5×5 convolution with both gradients in jax-js, compiled as one WebAssembly kernel each (Node: one thread). */
import { readFileSync } from 'node:fs';
import { init, jit, lax, numpy as np, vjp } from '@jax-js/jax';
import { convChecks, convOperands } from '../../dist/bench/bench/programs/conv-operands.js';
import { readFlags, report, timeSteps } from '../../dist/bench/bench/programs/program.js';

const flags = readFlags({ operands: '', batch: 1 });
// By name: without one it looks for WebGPU in a way that fails in Node.
await init('wasm');
const packageFile = new URL('../node_modules/@jax-js/jax/package.json', import.meta.url);
const version = `jax-js ${JSON.parse(readFileSync(packageFile, 'utf8')).version} wasm`;
const operands = convOperands(flags.operands, flags.batch);
const [x, w, dy] = ['x', 'w', 'dy'].map((name) =>
  np.array(operands[name].data).reshape([...operands[name].shape]),
);

const convWithGradients = jit((x, w, dy) => {
  const [y, pullBack] = vjp((x, w) => lax.convGeneralDilated(x, w, [1, 1], 'SAME'), [x, w]);
  return [y, ...pullBack(dy)];
});
/** `ref`: jax-js takes its arguments away unless they are counted once more. */
const run = () => Promise.all(convWithGradients(x.ref, w.ref, dy.ref).map((result) => result.data()));

const checks = convChecks(flags.batch, await run());
const stepMs = await timeSteps(flags, run);
report({ version, imagesPerStep: flags.batch, stepMs, checks });

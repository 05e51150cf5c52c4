/** Our 5×5 convolution with both gradients; maps come and go as [N, C, H, W], so conversions are part of the time. */
import { conv, convInputGrad, convWeightGrad, graph, input, samePads } from '../../src/graph/index.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import { convChecks, convOperands } from './conv-operands.js';
import { readFlags, report, timeSteps } from './program.js';

const flags = readFlags({ operands: '', batch: 128 });
const operands = convOperands(flags.operands, flags.batch);
const [x, w, dy] = (['x', 'w', 'dy'] as const).map((name) =>
  input(name, 'float32', operands[name].shape),
) as [ReturnType<typeof input>, ReturnType<typeof input>, ReturnType<typeof input>];
const pads = samePads(w.shape[2]!, w.shape[3]!);
const runtime = await createNodeRuntime({ device: 'cpu', threads: flags.threads });
const program = await runtime.compile(
  graph({
    y: conv(x, w, { pads }),
    dx: convInputGrad(dy, w, x.shape, { pads }),
    dw: convWeightGrad(x, dy, w.shape, { pads }),
  }),
);

const { y, dx, dw } = await program.run({ ...operands });
const checks = convChecks(
  flags.batch,
  [y!, dx!, dw!].map(({ data }) => data as Float32Array),
);
const stepMs = await timeSteps(flags, () => program.run({ ...operands }));
report({ version: runtime.version, imagesPerStep: flags.batch, stepMs, checks });

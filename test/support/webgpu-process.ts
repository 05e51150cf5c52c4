import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuarterturnError } from '../../src/errors.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import { type GoldenFile, goldenDifferences, goldenStep } from './golden-step.js';
import { allCases } from './lowering/all-cases.js';
import { differences, trialOf } from './lowering/case.js';

/**
 * A process of its own for the WebGPU provider: `node webgpu-process.js <golden file> <report file>`. It finds its driver
 * by environment variables that must stand when the process starts.
 */

/** What the process reports, as JSON. */
export interface WebGpuReport {
  /** Why there is no such device here. */
  readonly refused?: { readonly code: string; readonly message: string; readonly hint: string | undefined };
  /** Cases of forward-only graphs, in one graph. */
  readonly forward?: readonly string[];
  /** All cases on maps of a training step, in one graph. */
  readonly maps?: readonly string[];
  /** A whole RotNet step against PyTorch's values, run twice. */
  readonly step?: readonly string[];
  /** Every kernel of that step. */
  readonly placement?: readonly PlacedKernel[];
}

/** On which of ONNX Runtime's providers a kernel ran. */
export interface PlacedKernel {
  readonly name: string;
  readonly opType: string;
  readonly provider: string;
}

/** A kernel's entry in ONNX Runtime's profile. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly args: { readonly op_name: string; readonly provider: string };
}

/** Cases whose graphs hold no backward op: together they are still a forward-only graph. */
const forwardCases = allCases.filter(({ op }) => !/Grad$|Train$/.test(op));

async function judge(runtime: Runtime, golden: GoldenFile): Promise<WebGpuReport> {
  return {
    forward: await differences(runtime, trialOf(forwardCases, 'forward')),
    maps: await differences(runtime, trialOf(allCases, 'maps')),
    ...(await stepOf(golden)),
  };
}

/** Run the step, twice, with ONNX Runtime's profiler, which tells the provider of each kernel. */
async function stepOf(golden: GoldenFile): Promise<Pick<WebGpuReport, 'step' | 'placement'>> {
  const { graph, inputs } = goldenStep(golden);
  const folder = await mkdtemp(join(tmpdir(), 'quarterturn-placement-'));
  try {
    const runtime = await createNodeRuntime({ device: 'webgpu', profilePrefix: join(folder, 'run') });
    const program = await runtime.compile(graph);
    const step = [
      ...goldenDifferences(golden, await program.run(inputs)),
      ...goldenDifferences(golden, await program.run(inputs)),
    ];
    await program.release(); // writes the profile
    const last = (await readdir(folder)).sort().at(-1)!;
    const trace = JSON.parse(await readFile(join(folder, last), 'utf8')) as readonly TraceEvent[];
    const placement = trace
      .filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
      .map(({ name, args }) => ({ name, opType: args.op_name, provider: args.provider }));
    return { step, placement };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function report(golden: GoldenFile): Promise<WebGpuReport> {
  try {
    return await judge(await createNodeRuntime({ device: 'webgpu' }), golden);
  } catch (error) {
    if (!(error instanceof QuarterturnError) || error.code !== 'usage') throw error;
    const { code, message, hint } = error;
    return { refused: { code, message, hint } };
  }
}

const [goldenFile, reportFile] = process.argv.slice(2) as [string, string];
const golden = JSON.parse(await readFile(goldenFile, 'utf8')) as GoldenFile;
await writeFile(reportFile, JSON.stringify(await report(golden)));

import { readFile, writeFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-node';
import { QuarterturnError } from '../../src/errors.js';
import type { Graph } from '../../src/graph/graph.js';
import { lower } from '../../src/lower/lower.js';
import { encodeModel } from '../../src/onnx/encode.js';
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
}

/** Cases whose graphs hold no backward op: together they are still a forward-only graph. */
const forwardCases = allCases.filter(({ op }) => !/Grad$|Train$/.test(op));

async function judge(runtime: Runtime, golden: GoldenFile): Promise<WebGpuReport> {
  const { graph, inputs } = goldenStep(golden);
  const program = await runtime.compile(graph);
  const step = [
    ...goldenDifferences(golden, await program.run(inputs)),
    ...goldenDifferences(golden, await program.run(inputs)),
  ];
  await program.release();
  await logPlacement(graph);
  return {
    forward: await differences(runtime, trialOf(forwardCases, 'forward')),
    maps: await differences(runtime, trialOf(allCases, 'maps')),
    step,
  };
}

/** Load a graph with ONNX Runtime's full log: it tells on which provider each operator was placed. */
async function logPlacement(graph: Graph): Promise<void> {
  const session = await ort.InferenceSession.create(encodeModel(lower(graph, 'webgpu')), {
    executionProviders: ['webgpu', 'cpu'],
    logSeverityLevel: 0,
  });
  await session.release();
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

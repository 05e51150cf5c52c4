import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KernelTime } from '../lower/explain.js';
import { encodeModel } from '../onnx/encode.js';
import type { OnnxModel } from '../onnx/model.js';
import { at } from '../tensor/elements.js';
import type { Tensors } from '../tensor/tensor.js';
import { createNodeRuntime } from './node.js';
import type { Runtime, RuntimeOptions } from './runtime.js';

/** Where a run's time goes; medians over several runs. */
export interface Profile {
  /** From call to return, without the profiler. */
  readonly runMs: number;
  /** The same with the profiler on, which adds some µs to each kernel. */
  readonly profiledRunMs: number;
  /** One entry for each kernel, in the order in which they ran. */
  readonly kernels: readonly KernelTime[];
}

/** An entry of ONNX Runtime's profile, Chrome's trace event format; durations in µs. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string };
}

/** Runs that are measured, after one to warm up. */
const measuredRuns = 5;

/**
 * Run a model with ONNX Runtime's profiler, and without.
 * @throws QuarterturnError as {@link createNodeRuntime} and its programs do
 */
export async function profileModel(
  model: OnnxModel,
  inputs: Tensors,
  options: RuntimeOptions,
): Promise<Profile> {
  const bytes = encodeModel(model);
  const folder = await mkdtemp(join(tmpdir(), 'quarterturn-profile-'));
  try {
    const runMs = await timeRuns(await createNodeRuntime(options), bytes, inputs);
    const profiler = await createNodeRuntime({ ...options, profilePrefix: join(folder, 'run') });
    const profiledRunMs = await timeRuns(profiler, bytes, inputs);
    return { runMs, profiledRunMs, kernels: kernelTimes(await readTrace(folder)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Median time of a run that writes its results into the same buffers each time, as a training loop has it. */
async function timeRuns(runtime: Runtime, model: Uint8Array, inputs: Tensors): Promise<number> {
  const program = await runtime.load(model);
  try {
    const outputs = await program.run(inputs);
    const durations: number[] = [];
    for (let i = 0; i < measuredRuns; i++) {
      const started = performance.now();
      await program.run(inputs, outputs);
      durations.push(performance.now() - started);
    }
    return median(durations);
  } finally {
    await program.release();
  }
}

async function readTrace(folder: string): Promise<readonly TraceEvent[]> {
  // Names end in the time: the last one is the model's, one before it that of the device's probe.
  const files = (await readdir(folder)).sort();
  const file = at(files, files.length - 1);
  return JSON.parse(await readFile(join(folder, file), 'utf8')) as TraceEvent[];
}

/**
 * A kernel on the CPU is an event of category `Node` named `<operator>_kernel_time`. On a GPU that is only the call; what
 * runs there, often in several programs, has events of category `Api` named `<operator>&<type>&<program>`.
 */
function kernelTimes(trace: readonly TraceEvent[]): KernelTime[] {
  const programs = trace.filter(({ cat }) => cat === 'Api');
  const calls = trace.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const timed =
    programs.length > 0
      ? programs.map(({ name, dur }) => {
          const [operator = '', opType = ''] = name.split('&');
          return { name: operator, opType, durationUs: dur };
        })
      : calls.map(({ name, dur, args }) => ({
          name: name.slice(0, -'_kernel_time'.length),
          opType: args.op_name ?? '',
          durationUs: dur,
        }));
  const byName = new Map<string, typeof timed>();
  for (const event of timed) {
    const events = byName.get(event.name);
    if (events) events.push(event);
    else byName.set(event.name, [event]);
  }
  return [...byName].map(([name, events]) => {
    // What comes before the last whole runs belongs to the warm-up.
    const perRun = Math.floor(events.length / (measuredRuns + 1));
    const runs = Array.from({ length: measuredRuns }, (_, run) => {
      const end = events.length - run * perRun;
      return events.slice(end - perRun, end).reduce((sum, { durationUs }) => sum + durationUs, 0);
    });
    return { name, opType: at(events, 0).opType, durationMs: median(runs) / 1000 };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? at(sorted, middle) : (at(sorted, middle - 1) + at(sorted, middle)) / 2;
}

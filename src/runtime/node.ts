import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { QuarterturnError } from '../errors.js';
import { add, graph, input } from '../graph/index.js';
import { bindingError } from './native-binding.node.js';
import type { DeviceName, Runtime, RuntimeOptions } from './runtime.js';
import { type OnnxRuntime, SessionRuntime } from './session.js';

// ONNX Runtime's builds for Linux and macOS collect usage data for Microsoft unless this is set before the first session.
// Quarterturn works offline; and where the command line is longer than 28 kB, what they read of it overflows the stack
// (docs/known-problems.md).
process.env.ORT_DISABLE_TELEMETRY ??= '1';

/** Devices that this platform's package has kernels for. */
export const nodeDevices: readonly DeviceName[] = ['cpu', 'webgpu'];

/** More than any machine has cores: each thread takes memory, and 0 or less would be a choice of the kernels' own. */
const maxThreads = 1024;

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return `onnxruntime-node ${version}`;
}

export interface NodeRuntimeOptions extends RuntimeOptions {
  /** Programs are timed kernel by kernel, each into a file of its own whose path begins so, written at its release. */
  readonly profilePrefix?: string;
}

/**
 * Creates a runtime on ONNX Runtime's native kernels.
 * @throws QuarterturnError `usage` for a device that is not available, naming those that are, or threads out of their range;
 *   `runtime` if the kernels' native binding cannot be loaded, naming the platform and what to do
 */
export async function createNodeRuntime({
  device,
  threads = availableParallelism(),
  profilePrefix,
}: NodeRuntimeOptions): Promise<Runtime> {
  if (!nodeDevices.includes(device)) {
    throw new QuarterturnError(
      'usage',
      `device: expected ${nodeDevices.join(' or ')}. Received: ${device}.`,
      {
        hint: device === 'wasm' ? 'wasm is for browsers; in Node use cpu.' : 'Use --device cpu.',
      },
    );
  }
  if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads) {
    throw new QuarterturnError(
      'usage',
      `threads: expected a whole number from 1 to ${maxThreads}. Received: ${threads}.`,
      { hint: 'Leave it out to use all cores.' },
    );
  }
  const runtime = new SessionRuntime(await loadKernels(), {
    device,
    version: packageVersion(),
    writesInPlace: device === 'cpu',
    session: {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // A plan of all buffers in advance takes 1.3 GB for the full-width step, the arena alone 0.76, at the same speed.
      enableMemPattern: false,
      // 4 = what ends the process: errors come as exceptions, and warnings speak of what we leave out on purpose.
      logSeverityLevel: 4,
      // Threads that wait for work go on spinning a while, and each program has its own: where two take turns, as with the
      // short last batch of an epoch, those of one would hold up the other (3 × 300 such steps: 25 → 15 s).
      extra: { session: { force_spinning_stop: '1' } },
      ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
    },
  });
  if (device !== 'cpu') await probe(runtime);
  return runtime;
}

/** Loaded only now, so that what needs no kernels works without them, and a missing binding can be explained. */
async function loadKernels(): Promise<OnnxRuntime> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw bindingError(cause);
  }
}

/** A provider tells only when a session is made whether its hardware is there. */
async function probe(runtime: Runtime): Promise<void> {
  try {
    const x = input('x', 'float32', [1]);
    await (await runtime.compile(graph({ y: add(x, 1) }))).release();
  } catch (cause) {
    throw new QuarterturnError(
      'usage',
      `device: expected one that is there (cpu). Received: ${runtime.device}.`,
      {
        hint: `No ${runtime.device} adapter answers on this machine. Use --device cpu.`,
        cause,
      },
    );
  }
}

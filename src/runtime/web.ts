import * as ort from 'onnxruntime-web/webgpu';
import { QuarterturnError } from '../errors.js';
import type { DeviceName, Runtime, RuntimeOptions } from './runtime.js';
import { SessionRuntime } from './session.js';

/** Devices that a browser can have. */
export const webDevices: readonly DeviceName[] = ['wasm', 'webgpu'];

export interface WebRuntimeOptions extends RuntimeOptions {
  /** Folder or URL that serves onnxruntime-web's `.wasm` and `.mjs` files; default: where its own module lies. */
  readonly wasmPath?: string;
}

/**
 * Graphs on ONNX Runtime's WebAssembly or WebGPU kernels, in a browser. One thread by default: more need a page that is
 * isolated from other origins.
 *
 * @example
 * const runtime = await createWebRuntime({ device: 'wasm', wasmPath: '/onnxruntime-web/dist/' });
 * @throws QuarterturnError `usage` for a device that is not there, naming those that are
 */
export async function createWebRuntime({
  device,
  threads = 1,
  wasmPath,
}: WebRuntimeOptions): Promise<Runtime> {
  if (!webDevices.includes(device)) {
    throw new QuarterturnError('usage', `device: expected ${webDevices.join(' or ')}. Received: ${device}.`, {
      hint: 'cpu is for Node; in a browser use wasm.',
    });
  }
  if (
    device === 'webgpu' &&
    !(
      'gpu' in navigator && (await (navigator.gpu as { requestAdapter(): Promise<unknown> }).requestAdapter())
    )
  ) {
    throw new QuarterturnError('usage', 'device: expected one that is there (wasm). Received: webgpu.', {
      hint: 'This browser offers no WebGPU adapter. Use wasm.',
    });
  }
  if (wasmPath !== undefined) ort.env.wasm.wasmPaths = wasmPath;
  // More than one thread needs cross-origin isolation, which the page decides.
  ort.env.wasm.numThreads = threads;
  return new SessionRuntime(ort, {
    device,
    version: `onnxruntime-web ${ort.env.versions.web ?? ''}`.trim(),
    writesInPlace: false,
    session: { executionProviders: [device], graphOptimizationLevel: 'all', logSeverityLevel: 4 },
  });
}

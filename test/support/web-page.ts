import { QuarterturnError } from '../../src/errors.js';
import type { DeviceName } from '../../src/runtime/runtime.js';
import { createWebRuntime } from '../../src/runtime/web.js';
import { type GoldenFile, goldenDifferences, goldenStep } from './golden-step.js';

/** What `web-runtime.test.ts` calls in a page; everything here runs in the browser. */

export interface WebReport {
  readonly refused?: { readonly code: string; readonly message: string; readonly hint: string | undefined };
  readonly version?: string;
  /** A whole RotNet step against PyTorch's values, run twice, the second time into the first one's buffers. */
  readonly differences?: readonly string[];
}

/** Train one step on a device of this browser. */
export async function trainOneStep(device: DeviceName): Promise<WebReport> {
  const golden = (await (await fetch('/test/golden/rotnet-step.json')).json()) as GoldenFile;
  try {
    const runtime = await createWebRuntime({ device, wasmPath: '/node_modules/onnxruntime-web/dist/' });
    const { graph, inputs } = goldenStep(golden);
    const program = await runtime.compile(graph);
    const first = await program.run(inputs);
    const differences = goldenDifferences(golden, first);
    for (const { data } of Object.values(first)) data.fill(0 as never);
    const second = await program.run(inputs, first);
    differences.push(...goldenDifferences(golden, second));
    await program.release();
    return { version: runtime.version, differences };
  } catch (error) {
    if (!(error instanceof QuarterturnError)) throw error;
    const { code, message, hint } = error;
    return { refused: { code, message, hint } };
  }
}

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import type { Tensor } from '../../src/tensor/tensor.js';
import { root } from './compile.js';

/** A package of its own, since two versions of one package exclude each other; `npm test` installs it. */
const home = join(root, 'test/old-runtime');

/** What ONNX Runtime for the web had to offer in version 1.14, as far as it is used here. */
interface OldRuntime {
  readonly env: { readonly wasm: { numThreads: number } };
  readonly InferenceSession: {
    create(
      bytes: Uint8Array,
      options: { executionProviders: string[] },
    ): Promise<{ run(feeds: Record<string, unknown>): Promise<Record<string, unknown>> }>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown;
}

const outputSchema = z.object({ dims: z.array(z.int()), data: z.instanceof(Float32Array) });

/** Whether the old runtime was installed. */
export const hasOldRuntime = existsSync(join(home, 'node_modules/onnxruntime-web/package.json'));

/**
 * Probabilities that ONNX Runtime 1.14, WebAssembly in Node, gives for the first images, for each of several counts at once.
 * @returns for each count, float32 [count, K]
 */
export async function classifyWithOldRuntime(
  model: Uint8Array,
  images: Tensor<'uint8'>,
  counts: readonly number[],
): Promise<Tensor<'float32'>[]> {
  const load = createRequire(join(home, 'package.json'));
  const { version } = load('onnxruntime-web/package.json') as { version: string };
  if (!version.startsWith('1.14.')) throw new Error(`expected onnxruntime-web 1.14, not ${version}`);
  const { env, InferenceSession, Tensor } = load('onnxruntime-web/dist/ort-web.node.js') as OldRuntime;
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(model, { executionProviders: ['wasm'] });
  const [all = 0, ...size] = images.shape;
  const imageSize = images.data.length / all;
  const answers: Tensor<'float32'>[] = [];
  for (const count of counts) {
    const pixels = images.data.slice(0, count * imageSize);
    const { probabilities } = await session.run({ images: new Tensor('uint8', pixels, [count, ...size]) });
    const { dims, data } = outputSchema.parse(probabilities);
    answers.push({ dtype: 'float32', shape: dims, data });
  }
  return answers;
}

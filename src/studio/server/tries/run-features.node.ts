import { readFile } from 'node:fs/promises';
import { type FrozenEncoder, imagesInMemory, openEncoder } from '../../../index.js';
import { createNodeRuntime } from '../../../node.js';
import { encoderPath, readAnswers, readFeatures } from '../explore/answer-files.node.js';
import type { TryResult } from './try-messages.js';

/** How a run describes the images of its pile, opened so that others are described alike. */
export interface RunFeatures {
  /** float32 [D], of length 1; undefined for an image that was not described. */
  rowOf(id: string): Float32Array | undefined;
  describe(pixels: Uint8Array, size: TryResult['size']): Promise<Float32Array>;
}

let opened:
  | { readonly folder: string; readonly features: RunFeatures; readonly encoder: FrozenEncoder }
  | undefined;

/**
 * The features of a run; those of the run before are given up.
 * @param folder of what the run says
 * @returns undefined where it has none
 */
export async function runFeatures(folder: string): Promise<RunFeatures | undefined> {
  if (opened?.folder === folder) return opened.features;
  const answers = await readAnswers(folder);
  if (!answers?.features) return undefined;
  const values = await readFeatures(folder, answers.features);
  const { dimensions, rows, options } = answers.features;
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const bytes = Uint8Array.from(await readFile(encoderPath(folder)));
  const encoder = await openEncoder('encoder.onnx', bytes, { ...options, runtime });
  const placeOf = new Map(rows.map((row, place) => [answers.images[row] ?? '', place]));
  const features: RunFeatures = {
    rowOf: (id) => {
      const place = placeOf.get(id);
      return place === undefined ? undefined : values.subarray(place * dimensions, (place + 1) * dimensions);
    },
    describe: async (pixels, size) => {
      const images = imagesInMemory({ name: 'picture', pixels, ...size });
      return (await encoder.describe(images)).data;
    },
  };
  await opened?.encoder.release();
  opened = { folder, features, encoder };
  return features;
}

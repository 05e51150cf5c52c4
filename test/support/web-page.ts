import { imagesInMemory } from '../../src/data/image-source.js';
import { QuarterturnError } from '../../src/errors.js';
import { exportClassifier } from '../../src/model/export-model.js';
import { loadClassifier } from '../../src/model/load-classifier.js';
import type { BackboneName } from '../../src/nn/network.js';
import type { DeviceName } from '../../src/runtime/runtime.js';
import { createWebRuntime } from '../../src/web.js';
import { composedAnswers } from './composed.js';
import { type GoldenFile, goldenDifferences, goldenStep } from './golden-step.js';
import { trainOwnNetwork } from './own-network.js';
import { type SampleSize, sampleClasses, sampleClassifier, sampleImages } from './sample-classifier.js';

/** What browser tests call in a page; everything here runs in the browser. */

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

/** Train a network of one's own on a device of this browser. */
export async function trainOwn(device: DeviceName): Promise<Awaited<ReturnType<typeof trainOwnNetwork>>> {
  return trainOwnNetwork(await createWebRuntime({ device, wasmPath: '/node_modules/onnxruntime-web/dist/' }));
}

/**
 * Classify sample images with an exported sample classifier, as a page would: from the bytes of its file.
 * @returns for each count, the probabilities of the first images
 */
export async function classifySamples(
  device: DeviceName,
  backbone: BackboneName,
  size: SampleSize,
  counts: readonly number[],
): Promise<number[][]> {
  const runtime = await createWebRuntime({ device, wasmPath: '/node_modules/onnxruntime-web/dist/' });
  const bytes = exportClassifier({ ...sampleClassifier(backbone, size), classNames: sampleClasses });
  const classifier = await loadClassifier(`${backbone}.onnx`, bytes, { runtime });
  const [height, width, channels] = size;
  const { data } = sampleImages(Math.max(...counts), size);
  const answers: number[][] = [];
  for (const count of counts) {
    const pixels = data.subarray(0, count * height * width * channels);
    const some = imagesInMemory({ name: 'samples', pixels, height, width, channels });
    answers.push([...(await classifier.classify(some))]);
  }
  await classifier.release();
  return answers;
}

/**
 * Put a sample network and a head into one file, as a page would, and classify sample images with it.
 * @param network which of `composedNetworks`
 * @returns for each count, the probabilities of the first images
 */
export async function classifyComposed(
  device: DeviceName,
  network: number,
  counts: readonly number[],
): Promise<number[][]> {
  const runtime = await createWebRuntime({ device, wasmPath: '/node_modules/onnxruntime-web/dist/' });
  return composedAnswers(runtime, network, counts);
}

import { gradients, graph, input, reduceSum, softmax, type Value } from '../../src/graph/index.js';
import { Bindings } from '../../src/nn/block.js';
import { applyBlocks, imagesInput } from '../../src/nn/network.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { type SampleClassifier, type SampleSize, sampleClasses } from './sample-classifier.js';

/**
 * What a training step computes on its way to the loss, on maps stored as training stores them: the reference for the
 * exported file. The gradient is asked for only to make it a training step.
 * @param images as many as fill batches of 32
 */
export async function trainingProbabilities(
  runtime: Runtime,
  { network, weights }: SampleClassifier,
  size: SampleSize,
  images: Tensor<'uint8'>,
): Promise<Float32Array> {
  const batchSize = 32;
  const values: Record<string, Value> = Object.fromEntries(
    network.specs.map(({ name, shape }) => [name, input(name, 'float32', shape)]),
  );
  const bindings = new Bindings(values);
  const x = imagesInput(network, batchSize);
  const features = applyBlocks(network, x, bindings, { frozen: network.blocks.length, norm: 'stored' });
  const probabilities = softmax(network.head.apply(features, bindings, 'stored'));
  const kernel = network.specs.findLast(({ name }) => name.endsWith('.kernel') && name !== 'head.kernel')!;
  const [gradient] = gradients(reduceSum(probabilities, [0, 1]), [values[kernel.name]!]);
  const program = await runtime.compile(graph({ probabilities, gradient: gradient! }));
  const [count, imageSize] = [images.shape[0]!, images.data.length / images.shape[0]!];
  const rows = new Float32Array(count * sampleClasses.length);
  for (let from = 0; from < count; from += batchSize) {
    const data = images.data.slice(from * imageSize, (from + batchSize) * imageSize);
    const batch = { dtype: 'uint8', shape: [batchSize, ...size], data } as const;
    const outputs = await program.run({ ...weights, images: batch });
    rows.set(outputs.probabilities!.data as Float32Array, from * sampleClasses.length);
  }
  await program.release();
  return rows;
}

import type { ImageSource } from '../data/image-source.js';
import { graph, input } from '../graph/index.js';
import { Bindings } from '../nn/block.js';
import { applyBlocks, imagesInput, type Network } from '../nn/network.js';
import type { Runtime } from '../runtime/runtime.js';
import { float32, type Tensors, tensorNamed } from '../tensor/tensor.js';

export interface StatisticsOptions {
  readonly images: ImageSource;
  /** Indices of the images of each batch: as many in each, at least 2. */
  readonly batches: readonly Uint32Array[];
  readonly runtime: Runtime;
}

/**
 * Take BatchNorm's moving statistics from data: run the batches with batch statistics and average each layer's mean and
 * variance over them ("precise BN", Wu & Johnson 2021, section 3).
 *
 * The moving averages of a short training still hold much of their initial 0 and 1 (0.99²⁰ = 82 % after 20 steps at
 * momentum 0.99): then a network is evaluated with statistics that are not its own.
 *
 * @returns the weights with new moving statistics
 */
export async function reestimateStatistics(
  network: Network,
  weights: Tensors,
  { images, batches, runtime }: StatisticsOptions,
): Promise<Tensors> {
  const values = Object.fromEntries(
    network.specs.map(({ name, shape }) => [name, input(name, 'float32', shape)]),
  );
  const bindings = new Bindings(values);
  const pixels = imagesInput(network, batches[0]?.length ?? 0);
  // With momentum 0 a step's "moving" statistics are the batch's own.
  applyBlocks(network, pixels, bindings, { frozen: 0, norm: { momentum: 0 } });
  const program = await runtime.compile(graph(renamed(bindings.updates)));
  try {
    const sums = new Map<string, Float64Array>();
    for (const batch of batches) {
      const out = await program.run({ images: await images.read(batch), ...weights });
      for (const name of Object.keys(bindings.updates)) {
        const values = tensorNamed(out, outputPrefix + name).data as Float32Array;
        const sum = sums.get(name) ?? new Float64Array(values.length);
        values.forEach((v, i) => {
          sum[i]! += v / batches.length;
        });
        sums.set(name, sum);
      }
    }
    const fresh = [...sums].map(([name, mean]) => [name, float32([mean.length], mean)]);
    return { ...weights, ...Object.fromEntries(fresh) };
  } finally {
    await program.release();
  }
}

const outputPrefix = 'batch.';

function renamed<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [outputPrefix + name, value]));
}

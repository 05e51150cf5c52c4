import type { ImageSource } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import type { FrozenEncoder } from '../features/onnx-encoder.js';
import { graph, input, matMul } from '../graph/index.js';
import { type Block, specsOf } from '../nn/block.js';
import { dense } from '../nn/layers.js';
import type { Network } from '../nn/network.js';
import type { ProgressOptions } from '../progress.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ImageSize } from '../tensor/image-size.js';
import { type Tensor, type Tensors, tensorNamed } from '../tensor/tensor.js';

/** A network whose one block is a frozen encoder: not a graph of ours, but a file. Its head alone has weights. */
export interface FrozenNetwork extends Network {
  readonly encoder: FrozenEncoder;
}

/**
 * A dense head on the features of a frozen encoder.
 * @param image size of the images that it classifies
 */
export function frozenNetwork(encoder: FrozenEncoder, image: ImageSize, classes: number): FrozenNetwork {
  const outputShape = [encoder.dimensions];
  const block: Block = {
    name: 'encoder',
    layers: [{ name: encoder.name, type: 'Encoder', outputShape, params: [] }],
    outputShape,
    apply() {
      throw new QuarterturnError(
        'usage',
        `${encoder.name}: expected features. Received: images in a graph.`,
        {
          hint: 'Describe them by the encoder first.',
        },
      );
    },
  };
  const head = dense('head', encoder.dimensions, classes);
  return {
    ...{ title: encoder.title, settings: { image }, classes, blocks: [block], head },
    ...{ specs: specsOf([head]), encoder },
  };
}

/** Whether a network is a head on a frozen encoder. */
export function isFrozenNetwork(network: Network): network is FrozenNetwork {
  return 'encoder' in network;
}

/** The head of a network as weights, [D, K] and [K]. */
export function headOf(
  { head }: Network,
  weights: Tensors,
): { readonly kernel: Tensor<'float32'>; readonly bias: Tensor<'float32'> } {
  const [kernel, bias] = ['kernel', 'bias'].map((name) => tensorNamed(weights, `${head.name}.${name}`));
  return { kernel: kernel as Tensor<'float32'>, bias: bias as Tensor<'float32'> };
}

/** Rows of features multiplied at once: a few megabytes. */
const rowsAtATime = 1024;

/**
 * Logits of images by a head on a frozen encoder.
 *
 *   features · kernel + bias
 *
 * @returns float32 [count, K]
 * @throws QuarterturnError `interrupted` if the signal is aborted
 */
export async function frozenLogits(
  network: FrozenNetwork,
  weights: Tensors,
  images: ImageSource,
  context: ProgressOptions & { readonly runtime: Runtime },
): Promise<Float32Array> {
  const { encoder, classes } = network;
  const { emit, signal } = context;
  const features = await encoder.describe(images, { emit, signal });
  const { kernel, bias } = headOf(network, weights);
  const logits = new Float32Array(images.count * classes);
  const shape = [rowsAtATime, encoder.dimensions];
  const program = await context.runtime.compile(
    graph({ products: matMul(input('rows', 'float32', shape), input('kernel', 'float32', kernel.shape)) }),
  );
  try {
    for (let from = 0; from < images.count; from += rowsAtATime) {
      const rows = new Float32Array(rowsAtATime * encoder.dimensions);
      rows.set(features.data.subarray(from * encoder.dimensions, (from + rowsAtATime) * encoder.dimensions));
      const { data } = tensorNamed(
        await program.run({ rows: { dtype: 'float32', shape, data: rows }, kernel }),
        'products',
      );
      const count = Math.min(rowsAtATime, images.count - from) * classes;
      for (let i = 0; i < count; i++) {
        logits[from * classes + i] = Number(data[i]) + (bias.data[i % classes] ?? 0);
      }
    }
  } finally {
    await program.release();
  }
  return logits;
}

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rotationTargets, targetsAt } from '../src/data/batches.js';
import type { DataSource } from '../src/data/dataset.js';
import { selectImages } from '../src/data/image-source.js';
import { readMnist } from '../src/data/mnist.node.js';
import { copiesOf, rotatedCopies } from '../src/data/rotation.js';
import { gradientEncoder } from '../src/features/gradient-encoder.js';
import { initialize } from '../src/nn/initializers.js';
import { Random } from '../src/random/random.js';
import { createNodeRuntime } from '../src/runtime/node.js';
import { encodeSafetensors } from '../src/store/safetensors.js';
import { sizeOf, type Tensor, tensor, zeros } from '../src/tensor/tensor.js';
import { buildFeatures } from '../src/train/forward.js';
import { freshWeights } from '../src/train/train-step.js';
import { readTensors } from './programs/program.js';
import { conv5x5, type NetworkFlags, networkOf } from './settings.js';

export interface BatchSettings {
  readonly batchSize: number;
  /** 4: rotated images with their turns; 10: digits with their classes. */
  readonly classes: number;
  /** Give what this many blocks make of the images, instead of the images. */
  readonly features?: { readonly blocks: number; readonly network: NetworkFlags };
  /** Default: enough that a network has something to learn, few enough to read quickly. Steps are given them in turn. */
  readonly count?: number;
}

const usualCount = 4;

/** Weights, batches and operands as safetensors files, so that every contender works on the same numbers. */
export class Fixtures {
  readonly #folder: string;
  readonly #random = Random.seeded(12);
  #data: Promise<DataSource> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * A network's tensors: kernels as they start, everything of BatchNorm drawn at random, so that no scale, shift or moving
   * statistic is a 0 or a 1 that could be left out unnoticed.
   */
  weights(network: NetworkFlags, classes: number): Promise<string> {
    return this.#file(`weights-${nameOf(network)}-classes${classes}`, async () => {
      const tensors = freshWeights(networkOf(network, classes), this.#random.split('weights'));
      for (const [name, { data }] of Object.entries(tensors)) {
        if (!name.includes('.norm.')) continue;
        const centred = /shift|movingMean/.test(name);
        const stream = this.#random.split('norm', name);
        (data as Float32Array).forEach((_, i, all) => {
          all[i] = centred ? stream.uniform(-0.1, 0.1) : stream.uniform(0.8, 1.25);
        });
      }
      return tensors;
    });
  }

  /** `images` uint8 [batches, N, H, W, 1] or `features` float32 [batches, N, C, H, W], and `targets` int32 [batches, N]. */
  batches(settings: BatchSettings): Promise<string> {
    const { batchSize, classes, features, count = usualCount } = settings;
    const from = features ? `-blocks${features.blocks}-${nameOf(features.network)}` : '';
    return this.#file(`batches-${count}x${batchSize}-classes${classes}${from}`, async () => {
      const made = [];
      for (let i = 0; i < count; i++) made.push(await this.#batch(settings, i));
      return features ? this.#featuresOf(made, features, classes) : stacked(made);
    });
  }

  /** One image's operands of the 5×5 convolution and its gradients. */
  operands(): Promise<string> {
    return this.#file('operands', async () => {
      const { inChannels, outChannels, size, kernelSize } = conv5x5;
      const uniform = (name: string, shape: readonly number[]) => {
        const stream = this.#random.split(name);
        return tensor(
          'float32',
          shape,
          Float32Array.from({ length: sizeOf(shape) }, () => stream.uniform(-1, 1)),
        );
      };
      return {
        x: uniform('x', [1, inChannels, size, size]),
        w: initialize(
          'glorotUniform',
          [outChannels, inChannels, kernelSize, kernelSize],
          this.#random.split('w'),
        ),
        dy: uniform('dy', [1, outChannels, size, size]),
      };
    });
  }

  /** `rows` float32 [count, 392]: descriptions of images by oriented gradients, of length 1. */
  descriptions(count: number): Promise<string> {
    return this.#file(`descriptions-${count}`, async () => {
      const { images } = (await this.#mnist()).train;
      const some = selectImages(
        images,
        Uint32Array.from({ length: count }, (_, i) => i),
      );
      return { rows: await gradientEncoder(images.channels).describe(some) };
    });
  }

  /** Read once. */
  #mnist(): Promise<DataSource> {
    this.#data ??= readMnist();
    return this.#data;
  }

  async #file(name: string, make: () => Promise<Record<string, Tensor>>): Promise<string> {
    const path = join(this.#folder, `${name}.safetensors`);
    if (!existsSync(path)) writeFileSync(path, encodeSafetensors(await make()));
    return path;
  }

  async #batch({ batchSize, classes }: BatchSettings, index: number): Promise<Record<string, Tensor>> {
    const { train } = await this.#mnist();
    const first = index * batchSize;
    const numbers = Uint32Array.from({ length: batchSize }, (_, i) => first + i);
    if (classes === 10) {
      return { images: await train.images.read(numbers), targets: targetsAt(train, numbers) };
    }
    const copies = copiesOf(numbers).slice(0, batchSize);
    return { images: await rotatedCopies(train.images).read(copies), targets: rotationTargets(copies) };
  }

  async #featuresOf(
    batches: readonly Record<string, Tensor>[],
    { blocks, network }: { readonly blocks: number; readonly network: NetworkFlags },
    classes: number,
  ): Promise<Record<string, Tensor>> {
    const weights = readTensors(await this.weights(network, classes));
    const runtime = await createNodeRuntime({ device: 'cpu' });
    const batchSize = batches[0]!.targets!.shape[0]!;
    const program = await runtime.compile(
      buildFeatures(networkOf(network, classes), weights, { blocks, batchSize }),
    );
    const made = [];
    for (const { images, targets } of batches) {
      const { features } = await program.run({ images: images! });
      made.push({ features: features!, targets: targets! });
    }
    await program.release();
    return stacked(made);
  }
}

/** `compact-width0.25` */
function nameOf({ backbone, width }: NetworkFlags): string {
  return `${backbone}-width${width}`;
}

/** Tensors of one name stacked along a new axis in front. */
function stacked(batches: readonly Record<string, Tensor>[]): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(batches[0]!).map(([name, { dtype, shape, data: first }]) => {
      const all = zeros(dtype, [batches.length, ...shape]);
      batches.forEach((batch, i) => {
        (all.data as Float32Array).set(batch[name]!.data as Float32Array, i * first.length);
      });
      return [name, all];
    }),
  );
}

import { mixtureOf, mixtureWeights } from '../../src/nn/mixture.js';
import { type BackboneName, backboneNames, createNetwork, type Network } from '../../src/nn/network.js';
import { Random } from '../../src/random/random.js';
import { float32, sizeOf, type Tensor, type Tensors, tensor } from '../../src/tensor/tensor.js';
import { headOf } from '../../src/train/frozen-network.js';
import { freshWeights } from '../../src/train/train-step.js';

/** [height, width, channels] of images. */
export type SampleSize = readonly [number, number, number];

/** Every backbone. */
export const sampleBackbones = backboneNames;
/** Sizes at which patches are of 2, of 2 in colour, of a usual picture, and of 5. */
export const sampleSizes: readonly SampleSize[] = [
  [28, 28, 1],
  [32, 32, 3],
  [64, 64, 3],
  [100, 100, 3],
];

/** One image, a few, and as many as fill a batch. */
export const sampleCounts = [1, 3, 128] as const;

export const sampleClasses = ['ant', 'bee', 'cat', 'dog', 'eel'];

export interface SampleClassifier {
  readonly network: Network;
  readonly weights: Tensors;
}

/** A classifier that was never trained, but whose every tensor matters and whose answers differ between images. */
export function sampleClassifier(
  backbone: BackboneName,
  [height, width, channels]: SampleSize,
): SampleClassifier {
  const network = createNetwork(
    { backbone, width: 0.125, image: { height, width, channels } },
    sampleClasses.length,
  );
  const random = Random.seeded(5);
  const weights = freshWeights(network, random);
  for (const { name, shape } of network.specs) {
    const stream = random.split('values', name);
    const draw = (centre: number, spread: number) =>
      float32(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => centre + spread * (stream.uniform() - 0.5)),
      );
    if (/scale$|Variance$/.test(name)) weights[name] = draw(1, 0.5);
    if (/shift$|Mean$|bias$/.test(name)) weights[name] = draw(0, 0.2);
  }
  weights['head.kernel'] = contrasts(network);
  return { network, weights };
}

/** A mixture of two such classifiers, and its parts; where the second says one class, the first says another. */
export function sampleMixture(
  backbone: BackboneName,
  size: SampleSize,
  temperatures: readonly [number, number] = [1, 1],
) {
  const first = sampleClassifier(backbone, size);
  const { kernel } = headOf(first.network, first.weights);
  const negative = float32(
    kernel.shape,
    kernel.data.map((weight) => -weight),
  );
  const second = { ...first, weights: { ...first.weights, 'head.kernel': negative } };
  const parts = [
    { classifier: first, share: 0.3, temperature: temperatures[0] },
    { classifier: second, share: 0.7, temperature: temperatures[1] },
  ] as const;
  const network = mixtureOf(first.network, ['first', 'second']);
  const [one, other] = parts.map(({ classifier, ...share }) => ({ ...share, weights: classifier.weights }));
  const weights = one && other ? mixtureWeights(network, { first: one, second: other }) : {};
  return { network, weights, parts };
}

/** A head whose weights sum to 0 in each class: features are positive, and what they share must not decide. */
function contrasts({ specs, classes }: Network): Tensor<'float32'> {
  const { shape } = specs.find(({ name }) => name === 'head.kernel')!;
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
      const [feature, k] = [Math.floor(i / classes), i % classes];
      return 6 * Math.cos((2 * Math.PI * (k + 1) * feature) / shape[0]!);
    }),
  );
}

/** Images with structure at all scales: gratings of any direction and width, each over its own ground. */
export function sampleImages(count: number, [height, width, channels]: SampleSize): Tensor<'uint8'> {
  const pixels = new Uint8Array(count * height * width * channels);
  let at = 0;
  for (let n = 0; n < count; n++) {
    const random = Random.seeded(n);
    const [u, v, ground, swing] = [random.uniform(), random.uniform(), random.uniform(), random.uniform()];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          const wave = Math.sin(u * y + (v + 0.2 * c) * x + 2 * c);
          pixels[at++] = Math.round(255 * (0.5 * ground + 0.5 * swing * (0.5 + 0.5 * wave)));
        }
      }
    }
  }
  return tensor('uint8', [count, height, width, channels], pixels);
}

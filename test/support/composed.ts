import { imagesInMemory } from '../../src/data/image-source.js';
import type { EncoderOptions } from '../../src/features/encoder-settings.js';
import { openEncoder } from '../../src/features/onnx-encoder.js';
import { composeClassifier, type LinearHead } from '../../src/model/compose.js';
import { loadClassifier } from '../../src/model/load-classifier.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import { float32, type Tensor } from '../../src/tensor/tensor.js';
import { encodeMobileNet, encodeVisionTransformer } from './encoders.js';
import { type SampleSize, sampleClasses, sampleImages } from './sample-classifier.js';

interface ComposedNetwork {
  readonly what: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the images that the classifier takes. */
  readonly size: SampleSize;
  readonly options: EncoderOptions;
  readonly inOpenCv: boolean;
}

/** Networks that are put into one file with a head: of other sizes, layouts and versions. */
export const composedNetworks: readonly [ComposedNetwork, ...ComposedNetwork[]] = [
  {
    what: 'a network of depthwise convolutions, images enlarged',
    bytes: encodeMobileNet({ size: 32, relu: true }),
    ...{ size: [28, 28, 3], options: {}, inOpenCv: true },
  },
  {
    what: 'one of maps, for grey images of its size',
    bytes: encodeMobileNet({ size: 32, relu: true, end: 'maps' }),
    ...{ size: [32, 32, 1], options: {}, inOpenCv: true },
  },
  {
    what: 'one for grey, channels last, images in colour made smaller',
    bytes: encodeMobileNet({ size: 32, relu: true, channels: 1, layout: 'NHWC' }),
    ...{ size: [48, 48, 3], options: {}, inOpenCv: true },
  },
  {
    what: 'one in operator set 11',
    bytes: encodeMobileNet({ size: 32, relu: true, opset: 11 }),
    ...{ size: [45, 45, 3], options: {}, inOpenCv: true },
  },
  {
    what: 'a vision transformer',
    bytes: encodeVisionTransformer({ size: 56 }),
    ...{ size: [32, 32, 3], options: { size: 56 }, inOpenCv: false },
  },
];

/**
 * A head that tells images apart: each class is the direction from the mean of five images' features to one of them.
 * @param features float32 [5, D]
 */
export function sampleHead(features: Tensor<'float32'>): LinearHead {
  const [classes = 0, d = 0] = features.shape;
  const mean = Array.from({ length: d }, (_, i) =>
    sampleClasses.reduce((sum, _, k) => sum + (features.data[k * d + i] ?? 0) / classes, 0),
  );
  const from = (k: number) => mean.map((value, i) => (features.data[k * d + i] ?? 0) - value);
  const directions = sampleClasses.map((_, k) => from(k));
  const farthest = Math.max(...directions.map((direction) => Math.hypot(...direction)));
  const kernel = Float32Array.from(
    { length: d * classes },
    (_, i) => (3 * (directions[i % classes]?.[Math.floor(i / classes)] ?? 0)) / farthest ** 2,
  );
  const bias = sampleClasses.map(
    (_, k) => -mean.reduce((sum, value, i) => sum + value * (kernel[i * classes + k] ?? 0), 0),
  );
  return { kernel: float32([d, classes], kernel), bias: float32([classes], bias) };
}

/** A sample network with a head, from its bytes to the probabilities of the first images, for each of several counts. */
export async function composedAnswers(
  runtime: Runtime,
  network: number,
  counts: readonly number[],
): Promise<number[][]> {
  const { bytes, size, options } = composedNetworks[network] ?? composedNetworks[0];
  const [height, width, channels] = size;
  const { data } = sampleImages(Math.max(5, ...counts), size);
  const imagesOf = (count: number) =>
    imagesInMemory({
      ...{ name: 'gratings', height, width, channels },
      pixels: data.slice(0, count * height * width * channels),
    });
  await using encoder = await openEncoder('net.onnx', bytes, { runtime, ...options });
  const head = sampleHead(await encoder.describe(imagesOf(5)));
  const image = { height, width, channels };
  const model = composeClassifier({ encoder, head, image, classNames: sampleClasses });
  await using classifier = await loadClassifier('composed.onnx', model, { runtime });
  const answers: number[][] = [];
  for (const count of counts) answers.push([...(await classifier.classify(imagesOf(count)))]);
  return answers;
}

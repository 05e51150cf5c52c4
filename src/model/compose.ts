import type { FitMode } from '../data/image-fit.js';
import { QuarterturnError } from '../errors.js';
import type { FrozenEncoder } from '../features/onnx-encoder.js';
import { encodeGraphFile } from '../onnx/graph-file.js';
import { int, type OnnxNode } from '../onnx/model.js';
import type { ImageSize } from '../tensor/image-size.js';
import type { Tensor } from '../tensor/tensor.js';
import { classNamesKey, preprocessingKey } from './export-model.js';
import { preprocessingFor } from './preprocessing.js';

/** A linear classifier of features: softmax(features · kernel + bias). */
export interface LinearHead {
  /** [features, classes] */
  readonly kernel: Tensor<'float32'>;
  /** [classes] */
  readonly bias: Tensor<'float32'>;
}

export interface ComposeOptions {
  readonly encoder: FrozenEncoder;
  readonly head: LinearHead;
  /** Size of the images that the file takes; they are resized to the encoder's. */
  readonly image: ImageSize;
  /** One name for each class of the head, in their order. */
  readonly classNames: readonly string[];
  /** Mean of all values of the training images, 0–255. Default: it is left out. */
  readonly meanBrightness?: number | undefined;
  /** How the training pictures were fitted into their size; default: `contain`. */
  readonly pictureFit?: FitMode | undefined;
}

/**
 * Writes a frozen encoder and a head on it as one ONNX file.
 *
 *   images uint8 [N, H, W, C] → resized, scaled → network → pooled, length 1 → · kernel + bias → softmax → [N, K]
 *
 * The file takes any number of images and says as much of itself as one of `exportClassifier`. It is written in the version
 * of ONNX's operators that the encoder is in.
 * @throws QuarterturnError `usage` if head, encoder and names do not fit together
 */
export function composeClassifier(options: ComposeOptions): Uint8Array {
  const { encoder, head, image, classNames, meanBrightness, pictureFit } = options;
  const [features, classes] = head.kernel.shape;
  const fits =
    features === encoder.dimensions && classes === classNames.length && head.bias.data.length === classes;
  if (!fits) {
    throw new QuarterturnError(
      'usage',
      `head: expected a kernel [${encoder.dimensions}, ${classNames.length}] and a bias for each class. Received: [${head.kernel.shape.join(', ')}] and [${head.bias.shape.join(', ')}].`,
    );
  }
  const graph = encoder.graphFor(image);
  const { file, before, after, initializers, images, prefix } = graph;
  const name = (what: string) => `${prefix}/head/${what}`;
  const node = (opType: string, inputs: readonly string[], output: string): OnnxNode => ({
    ...{ name: name(opType), opType, domain: '', inputs, outputs: [output] },
    attributes: opType === 'Softmax' ? { axis: int(1) } : {},
  });
  const preprocessing = preprocessingFor(image, meanBrightness, pictureFit);
  const probabilities = images === 'images' ? 'probabilities' : name('probabilities');
  return encodeGraphFile(file, {
    before,
    after: [
      ...after,
      node('MatMul', [graph.features, name('kernel')], name('products')),
      node('Add', [name('products'), name('bias')], name('logits')),
      node('Softmax', [name('logits')], probabilities),
    ],
    initializers: { ...initializers, [name('kernel')]: head.kernel, [name('bias')]: head.bias },
    inputs: [{ name: images, dtype: 'uint8', shape: ['N', image.height, image.width, image.channels] }],
    outputs: [{ name: probabilities, dtype: 'float32', shape: ['N', classNames.length] }],
    metadata: {
      [classNamesKey]: JSON.stringify(classNames),
      ...(preprocessing && { [preprocessingKey]: JSON.stringify(preprocessing) }),
    },
  });
}

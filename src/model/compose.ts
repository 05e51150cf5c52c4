import { QuarterturnError } from '../errors.js';
import type { FrozenEncoder } from '../features/onnx-encoder.js';
import { encodeGraphFile } from '../onnx/graph-file.js';
import { int, type OnnxNode } from '../onnx/model.js';
import type { ImageSize } from '../tensor/image-size.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { classifierMetadata, type DescribedClassifier } from './classifier-metadata.js';

/** A linear classifier of features: softmax(features · kernel + bias). */
export interface LinearHead {
  /** [features, classes] */
  readonly kernel: Tensor<'float32'>;
  /** [classes] */
  readonly bias: Tensor<'float32'>;
}

export interface ComposeOptions extends DescribedClassifier {
  readonly encoder: FrozenEncoder;
  readonly head: LinearHead;
  /** Size of the images that the file takes; they are resized to the encoder's. */
  readonly image: ImageSize;
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
  const { encoder, head, image, classNames } = options;
  const [features, classes] = head.kernel.shape;
  const fits =
    features === encoder.dimensions && classes === classNames.length && head.bias.data.length === classes;
  if (!fits) {
    throw new QuarterturnError(
      'usage',
      `head: expected a kernel [${encoder.dimensions}, ${classNames.length}] and a bias for each class. Received: [${head.kernel.shape.join(', ')}] and [${head.bias.shape.join(', ')}].`,
    );
  }
  const { temperature = 1 } = options;
  const calibrated = (t: Tensor<'float32'>) =>
    tensor(
      'float32',
      t.shape,
      t.data.map((x) => x / temperature),
    );
  const graph = encoder.graphFor(image);
  const { file, before, after, initializers, images, prefix } = graph;
  const name = (what: string) => `${prefix}/head/${what}`;
  const node = (opType: string, inputs: readonly string[], output: string): OnnxNode => ({
    ...{ name: name(opType), opType, domain: '', inputs, outputs: [output] },
    attributes: opType === 'Softmax' ? { axis: int(1) } : {},
  });
  const probabilities = images === 'images' ? 'probabilities' : name('probabilities');
  return encodeGraphFile(file, {
    before,
    after: [
      ...after,
      node('MatMul', [graph.features, name('kernel')], name('products')),
      node('Add', [name('products'), name('bias')], name('logits')),
      node('Softmax', [name('logits')], probabilities),
    ],
    initializers: {
      ...initializers,
      [name('kernel')]: calibrated(head.kernel),
      [name('bias')]: calibrated(head.bias),
    },
    inputs: [{ name: images, dtype: 'uint8', shape: ['N', image.height, image.width, image.channels] }],
    outputs: [{ name: probabilities, dtype: 'float32', shape: ['N', classNames.length] }],
    metadata: classifierMetadata(image, options),
  });
}

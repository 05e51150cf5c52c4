import { QuarterturnError } from '../errors.js';
import { lowerForAnyBatch } from '../lower/any-batch.js';
import type { Network } from '../nn/network.js';
import { encodeModel } from '../onnx/encode.js';
import type { Tensors } from '../tensor/tensor.js';
import { buildClassifier } from '../train/forward.js';
import { headOf, isFrozenNetwork } from '../train/frozen-network.js';
import { classifierMetadata, type DescribedClassifier } from './classifier-metadata.js';
import { composeClassifier } from './compose.js';

export { classNamesKey, preprocessingKey } from './classifier-metadata.js';

export interface ExportOptions extends DescribedClassifier {
  readonly network: Network;
  /** All tensors of the network. */
  readonly weights: Tensors;
}

/**
 * Writes a classifier as one ONNX file.
 *
 * Input `images` uint8 [N, H, W, C] with any N, output `probabilities` float32 [N, K]; normalisation and softmax are
 * inside; the metadata holds class names, the fit of pictures, when it is unsure and what was learned from. The file uses plain ONNX operators in ONNX's own layout,
 * so that other runtimes can use it. Of a head on a frozen encoder, the encoder is in the file, too: see {@link composeClassifier}.
 *
 * @throws QuarterturnError `usage` if names and classes differ in number
 */
export function exportClassifier({ network, weights, ...described }: ExportOptions): Uint8Array {
  const { classNames } = described;
  if (classNames.length !== network.classes) {
    throw new QuarterturnError(
      'usage',
      `classNames: expected ${network.classes}, one for each class of the network. Received: ${classNames.length}.`,
    );
  }
  const { image } = network.settings;
  if (isFrozenNetwork(network)) {
    const { encoder } = network;
    return composeClassifier({ encoder, head: headOf(network, weights), image, ...described });
  }
  const classifierOf = (batchSize: number) =>
    buildClassifier(network, weights, {
      batchSize,
      output: 'probabilities',
      temperature: described.temperature,
    });
  const model = lowerForAnyBatch(classifierOf, 'anywhere', {
    name: 'quarterturn classifier',
    metadata: classifierMetadata(image, described),
  });
  return encodeModel(model);
}

import { lower } from '../lower/lower.js';
import type { Network } from '../nn/rotnet.js';
import { encodeModel } from '../onnx/encode.js';
import { buildClassifier } from '../train/forward.js';
import type { TrainState } from '../train/train-step.js';

/** Metadata key of the class names, a JSON array of strings in the order of the probabilities. */
export const classNamesKey = 'quarterturn.classNames';

/**
 * A classifier as one ONNX file.
 *
 * Input `images` uint8 [N, H, W, C] with any N, output `probabilities` float32 [N, K]; normalisation and softmax are
 * inside, class names in the metadata. Plain ONNX operators in ONNX's own layout, so any runtime can use it.
 */
export function exportClassifier(
  network: Network,
  weights: TrainState,
  classNames: readonly string[],
): Uint8Array {
  const graph = buildClassifier(network, weights, 1, 'probabilities');
  const model = lower(graph, 'cpu', {
    name: 'quarterturn classifier',
    metadata: { [classNamesKey]: JSON.stringify(classNames) },
  });
  const free = <T extends { shape: readonly (number | string)[] }>(info: T) => ({
    ...info,
    shape: ['N', ...info.shape.slice(1)],
  });
  return encodeModel({ ...model, inputs: model.inputs.map(free), outputs: model.outputs.map(free) });
}

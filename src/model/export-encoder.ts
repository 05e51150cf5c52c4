import { QuarterturnError } from '../errors.js';
import { graph, reduceMean, type Value } from '../graph/index.js';
import { lowerForAnyBatch } from '../lower/any-batch.js';
import type { Network } from '../nn/network.js';
import { encodeModel } from '../onnx/encode.js';
import type { OnnxModel } from '../onnx/model.js';
import type { Tensors } from '../tensor/tensor.js';
import { buildFeatures } from '../train/forward.js';
import { isFrozenNetwork } from '../train/frozen-network.js';

export interface ExportEncoderOptions {
  readonly network: Network;
  /** All tensors of the network; those of its head are left out. */
  readonly weights: Tensors;
  /** How many blocks images go through; default: all. Maps are averaged over their positions. */
  readonly blocks?: number | undefined;
}

/**
 * Writes the backbone of a network as one ONNX file, to be used as an encoder: see {@link openEncoder}.
 * Input `pixels` uint8 [N, H, W, C] with any N, output `features` float32 [N, D]; normalisation is inside.
 * @throws QuarterturnError `usage` for a number of blocks that the network does not have
 */
export function exportEncoder({ network, weights, blocks }: ExportEncoderOptions): Uint8Array<ArrayBuffer> {
  const all = network.blocks.length;
  const used = blocks ?? all;
  if (isFrozenNetwork(network) || !Number.isInteger(used) || used < 1 || used > all) {
    throw new QuarterturnError(
      'usage',
      `blocks: expected 1 to ${all}, the blocks of a network that was trained here. Received: ${isFrozenNetwork(network) ? network.title : used}.`,
    );
  }
  const encoderOf = (batchSize: number) => {
    const { outputs } = buildFeatures(network, weights, { batchSize, blocks: used });
    const [features] = Object.values(outputs) as [Value];
    return graph({ features: features.shape.length === 4 ? reduceMean(features, [2, 3]) : features });
  };
  const model = lowerForAnyBatch(encoderOf, 'anywhere', { name: 'quarterturn encoder' });
  return Uint8Array.from(encodeModel(withInput(model, 'pixels')));
}

/** The same model with another name for its one input: a classifier that it becomes a part of has `images` for its own. */
function withInput(model: OnnxModel, name: string): OnnxModel {
  const before = new Set(model.inputs.map((input) => input.name));
  return {
    ...model,
    inputs: model.inputs.map((input) => ({ ...input, name })),
    nodes: model.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((each) => (before.has(each) ? name : each)),
    })),
  };
}

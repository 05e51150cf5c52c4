import { constant, type Graph, graph, softmax, type Value } from '../graph/index.js';
import { Bindings } from '../nn/block.js';
import { applyBlocks, imagesInput, type Network } from '../nn/network.js';
import type { Tensors } from '../tensor/tensor.js';

/** The weights as constants of the graph: fixed weights let the runtime fold and repack them once. */
function bound(network: Network, weights: Tensors): Bindings {
  const values: Record<string, Value> = {};
  for (const { name } of network.specs) if (weights[name]) values[name] = constant(weights[name]);
  return new Bindings(values);
}

export interface ClassifierGraphOptions {
  /** Images that the graph takes at once. */
  readonly batchSize: number;
  /** Default: `logits`. */
  readonly output?: 'logits' | 'probabilities';
}

/**
 * Classifier with stored statistics: `images` uint8 [N, H, W, C] → `logits` or `probabilities`, float32 [N, K].
 */
export function buildClassifier(
  network: Network,
  weights: Tensors,
  { batchSize, output = 'logits' }: ClassifierGraphOptions,
): Graph {
  const bindings = bound(network, weights);
  const all = { frozen: network.blocks.length, norm: 'stored' } as const;
  const features = applyBlocks(network, imagesInput(network, batchSize), bindings, all);
  const logits = network.head.apply(features, bindings, 'stored');
  return graph(output === 'logits' ? { logits } : { probabilities: softmax(logits) });
}

export interface FeatureGraphOptions {
  /** Images that the graph takes at once. */
  readonly batchSize: number;
  /** How many blocks images go through, at least 1. */
  readonly blocks: number;
}

/**
 * The first `blocks` blocks: `images` uint8 [N, H, W, C] → `features` float32 [N, C', H', W'], with stored statistics.
 */
export function buildFeatures(
  network: Network,
  weights: Tensors,
  { batchSize, blocks }: FeatureGraphOptions,
): Graph {
  const part = { to: blocks, frozen: blocks, norm: 'stored' } as const;
  const images = imagesInput(network, batchSize);
  return graph({ features: applyBlocks(network, images, bound(network, weights), part) });
}

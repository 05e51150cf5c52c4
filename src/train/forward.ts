import {
  constant,
  type Graph,
  graph,
  input,
  mul,
  softmax,
  type Value,
  type ValueType,
} from '../graph/index.js';
import { Bindings } from '../nn/block.js';
import type { LayeredNetwork } from '../nn/layered-network.js';
import { applyBlocks, imagesInput, type Network } from '../nn/network.js';
import { type Tensors, tensorNamed } from '../tensor/tensor.js';

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
  /** Logits are divided by it before the softmax; default: 1. */
  readonly temperature?: number | undefined;
}

/**
 * Classifier with stored statistics: `images` uint8 [N, H, W, C] → `logits` or `probabilities`, float32 [N, K].
 */
export function buildClassifier(
  network: Network,
  weights: Tensors,
  { batchSize, output = 'logits', temperature = 1 }: ClassifierGraphOptions,
): Graph {
  const bindings = bound(network, weights);
  const all = { frozen: network.blocks.length, norm: 'stored' } as const;
  const features = applyBlocks(network, imagesInput(network, batchSize), bindings, all);
  const logits = network.head.apply(features, bindings, 'stored');
  if (output === 'logits') return graph({ logits });
  // Multiplied after the head, and not folded into its weights: that keeps the order of the logits, whatever is rounded.
  const calibrated = temperature === 1 ? logits : mul(logits, 1 / temperature);
  return graph({ probabilities: softmax(calibrated) });
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

/**
 * A network of one's own with stored statistics: `x` → `output`.
 * @throws QuarterturnError `usage` for a tensor that the weights lack
 */
export function buildOutput(network: LayeredNetwork, weights: Tensors, x: ValueType): Graph {
  const tensors = network.specs.map(({ name }) => [name, constant(tensorNamed(weights, name))] as const);
  const bindings = new Bindings(Object.fromEntries(tensors));
  return graph({ output: network.apply(input('x', x.dtype, x.shape), bindings, () => 'stored') });
}

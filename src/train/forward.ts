import { avgPool, constant, type Graph, graph, input, softmax, type Value } from '../graph/index.js';
import { imagesToMaps } from '../nn/images.js';
import { Bindings } from '../nn/network.js';
import { applyBlocks, type Network } from '../nn/rotnet.js';
import type { TrainState } from './train-step.js';

/** The weights as constants of the graph: fixed weights let the runtime fold and repack them once. */
function bound(network: Network, weights: TrainState): Bindings {
  const values: Record<string, Value> = {};
  for (const { name } of network.specs) if (weights[name]) values[name] = constant(weights[name]);
  return new Bindings(values);
}

function imagesInput({ settings: { height, imageWidth, channels } }: Network, batchSize: number): Value {
  return imagesToMaps(input('images', 'uint8', [batchSize, height, imageWidth, channels]));
}

/**
 * Classifier with stored statistics: `images` uint8 [N, H, W, C] → `logits` or `probabilities`, float32 [N, K].
 */
export function buildClassifier(
  network: Network,
  weights: TrainState,
  batchSize: number,
  output: 'logits' | 'probabilities' = 'logits',
): Graph {
  const bindings = bound(network, weights);
  const all = { frozen: network.blocks.length, norm: 'stored' } as const;
  const features = applyBlocks(network, imagesInput(network, batchSize), bindings, all);
  const logits = network.head.apply(features, bindings, 'stored');
  return graph(output === 'logits' ? { logits } : { probabilities: softmax(logits) });
}

/**
 * The first `blocks` blocks: `images` uint8 [N, H, W, C] → `features` float32 [N, C', H', W'], with stored statistics; as
 * `quarters` [N, C', 2, 2], the mean of each quarter of a map (quarters of an odd map share its middle).
 */
export function buildFeatures(
  network: Network,
  weights: TrainState,
  blocks: number,
  batchSize: number,
  form: 'maps' | 'quarters' = 'maps',
): Graph {
  const part = { to: blocks, frozen: blocks, norm: 'stored' } as const;
  const maps = applyBlocks(network, imagesInput(network, batchSize), bound(network, weights), part);
  return graph({ features: form === 'maps' ? maps : quarterMeans(maps) });
}

function quarterMeans(maps: Value): Value {
  const [height, width] = maps.shape.slice(2) as [number, number];
  return avgPool(maps, {
    kernel: [Math.ceil(height / 2), Math.ceil(width / 2)],
    strides: [Math.floor(height / 2), Math.floor(width / 2)],
    pads: [0, 0, 0, 0],
  });
}

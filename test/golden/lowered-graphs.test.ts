import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Graph } from '../../src/graph/index.js';
import { lower } from '../../src/lower/lower.js';
import { exportClassifier } from '../../src/model/export-model.js';
import { type BackboneName, backboneNames, createNetwork } from '../../src/nn/network.js';
import { encodeModel } from '../../src/onnx/encode.js';
import { adam } from '../../src/optim/adam.js';
import { sgd } from '../../src/optim/sgd.js';
import { Random } from '../../src/random/random.js';
import { buildClassifier, buildFeatures } from '../../src/train/forward.js';
import { consistency } from '../../src/train/objective.js';
import { buildTrainStep, freshWeights, type TrainStepSettings } from '../../src/train/train-step.js';

/**
 * The bytes of every kind of graph that a run makes, for all backbones at the widths of the presets. A change that is
 * only to move code leaves them as they are; where a lowering is meant to change, `vitest run -u` on this file writes
 * down the new ones, and the difference names the graphs that it concerns.
 */
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const lowered = (graph: Graph, target: 'cpu' | 'webgpu' = 'cpu') => sha256(encodeModel(lower(graph, target)));

const classes = 10;

function hashesOf(backbone: BackboneName, width: number): Record<string, string> {
  const image = { height: 28, width: 28, channels: 1 };
  const network = createNetwork({ backbone, width, image }, classes);
  const weights = freshWeights(network, Random.seeded(7));
  const plain: TrainStepSettings = {
    network,
    optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }),
    batchSize: 128,
    frozenBlocks: 0,
    batch: 'images',
    batchNormMomentum: 0.9,
  };
  const views: TrainStepSettings = {
    ...plain,
    optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }),
    batchSize: 20,
    objective: consistency({
      pairs: 8,
      labelSmoothing: 0.1,
      labelWeight: 1,
      informationWeight: 1,
      pseudoLabelWeight: 0.5,
      threshold: 0.9,
    }),
    averageDecay: 0.99,
  };
  return {
    step: lowered(buildTrainStep(plain)),
    'step, WebGPU': lowered(buildTrainStep({ ...plain, batchSize: 3 }), 'webgpu'),
    'step, two blocks frozen': lowered(buildTrainStep({ ...plain, frozenBlocks: 2 })),
    'step on features': lowered(buildTrainStep({ ...plain, frozenBlocks: 2, batch: 'features' })),
    'step on views, averaged': lowered(buildTrainStep(views)),
    classifier: lowered(buildClassifier(network, weights, { batchSize: 128 })),
    'classifier, WebGPU': lowered(buildClassifier(network, weights, { batchSize: 128 }), 'webgpu'),
    features: lowered(buildFeatures(network, weights, { blocks: 2, batchSize: 128 })),
    exported: sha256(exportClassifier({ network, weights, classNames: [...'abcdefghij'] })),
  };
}

describe.each(backboneNames)('graphs of %s', (backbone) => {
  test.each([0.125, 0.25, 1])('at width %f are the same bytes as before', (width) => {
    expect(hashesOf(backbone, width)).toMatchSnapshot();
  });
});

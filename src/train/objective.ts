import { add, mul, sub, type Value } from '../graph/index.js';
import { crossEntropy, mutualInformation, pseudoLabelLoss, rowsOf } from '../nn/losses.js';
import { at } from '../tensor/elements.js';

/** Objective that a training step minimises. */
export interface Objective {
  /** How many images of a batch have a target: the first ones. */
  labelled(batchSize: number): number;
  /**
   * @param logits of the whole batch, float32 [N, K]
   * @param targets of its labelled images, int32 [M]
   * @returns float32 scalar
   */
  loss(logits: Value, targets: Value): Value;
}

/** Cross-entropy on labels alone. @param labelSmoothing share of each target spread over all classes */
export function supervised({ labelSmoothing = 0 }: { readonly labelSmoothing?: number } = {}): Objective {
  return {
    labelled: (batchSize) => batchSize,
    loss: (logits, targets) => crossEntropy(logits, targets, { labelSmoothing }),
  };
}

export interface ConsistencySettings {
  /** Unlabelled images in a batch, each in two views. */
  readonly pairs: number;
  readonly labelSmoothing: number;
  readonly labelWeight: number;
  /** Of the views' mutual information. */
  readonly informationWeight: number;
  /** Of the cross-entropy against confident pseudo-labels. */
  readonly pseudoLabelWeight: number;
  /** Probability from which a prediction counts as confident. */
  readonly threshold: number;
}

/**
 * Labels for a few images, agreement between two views for many:
 *
 *   L = w₁·CE(labelled) − w₂·I(mild, strong) + w₃·CE(strong, confident class of mild)
 *
 * A batch holds M labelled images, then P mildly distorted unlabelled ones, then the same P strongly distorted.
 */
export function consistency(settings: ConsistencySettings): Objective {
  const { pairs, labelSmoothing, labelWeight, informationWeight, pseudoLabelWeight, threshold } = settings;
  return {
    labelled: (batchSize) => batchSize - 2 * pairs,
    loss: (logits, targets) => {
      const labelled = at(logits.shape, 0) - 2 * pairs;
      const mild = rowsOf(logits, labelled, labelled + pairs);
      const strong = rowsOf(logits, labelled + pairs, labelled + 2 * pairs);
      let loss = mul(crossEntropy(rowsOf(logits, 0, labelled), targets, { labelSmoothing }), labelWeight);
      if (informationWeight > 0) loss = sub(loss, mul(mutualInformation(mild, strong), informationWeight));
      if (pseudoLabelWeight > 0)
        loss = add(loss, mul(pseudoLabelLoss(mild, strong, { threshold }), pseudoLabelWeight));
      return loss;
    },
  };
}

import {
  add,
  argMax,
  equal,
  logSoftmax,
  mul,
  neg,
  oneHot,
  reduceMean,
  reduceSum,
  type Value,
} from '../graph/index.js';

export interface CrossEntropyOptions {
  /**
   * Share of the target spread evenly over all classes (Szegedy et al. 2016, section 7); 0: targets as they are.
   */
  readonly labelSmoothing?: number;
}

/**
 * Mean cross-entropy L = −(1/N) Σₙ Σₖ tₙₖ · ln softmax(xₙ)ₖ, in nats.
 *
 * @param logits float32 [N, K]
 * @param targets int32 [N], 0 … K − 1
 */
export function crossEntropy(
  logits: Value,
  targets: Value,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): Value {
  const classes = logits.shape[1]!;
  const hard = oneHot(targets, classes);
  const soft = labelSmoothing === 0 ? hard : add(mul(hard, 1 - labelSmoothing), labelSmoothing / classes);
  const perImage = neg(reduceSum(mul(soft, logSoftmax(logits)), [1]));
  return reduceMean(perImage, [0]);
}

/** How many rows of logits [N, K] have their maximum at the target: float32 scalar. */
export function countCorrect(logits: Value, targets: Value): Value {
  return reduceSum(equal(argMax(logits), targets), [0]);
}

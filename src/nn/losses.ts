import {
  add,
  argMax,
  broadcastTo,
  cast,
  constant,
  div,
  equal,
  log,
  logSoftmax,
  matMul,
  mul,
  neg,
  oneHot,
  reduceMean,
  reduceSum,
  softmax,
  sub,
  transpose,
  type Value,
} from '../graph/index.js';
import { at } from '../tensor/elements.js';
import { float32 } from '../tensor/tensor.js';

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
export function crossEntropy(logits: Value, targets: Value, options: CrossEntropyOptions = {}): Value {
  return reduceMean(crossEntropies(logits, targets, options), [0]);
}

/** Cross-entropy of each image, float32 [N]. */
function crossEntropies(logits: Value, targets: Value, { labelSmoothing = 0 }: CrossEntropyOptions): Value {
  const classes = at(logits.shape, 1);
  const hard = oneHot(targets, classes);
  const soft = labelSmoothing === 0 ? hard : add(mul(hard, 1 - labelSmoothing), labelSmoothing / classes);
  return neg(reduceSum(mul(soft, logSoftmax(logits)), [1]));
}

/** Keeps ln of a joint probability finite; far below what 1/P for any batch can be. */
const smallestProbability = 1e-8;

/**
 * Mutual information between the classes of two views of the same images, in nats (Ji et al. 2019, "Invariant
 * Information Clustering", equations 2 and 3):
 *
 *   J = (1/2P) Σₙ (pₙ qₙᵀ + qₙ pₙᵀ),  I = Σₐᵦ Jₐᵦ · (ln Jₐᵦ − ln Jₐ − ln Jᵦ),  0 ≤ I ≤ ln K
 *
 * It is large if both views get the same class with certainty *and* all classes are in use, so that, unlike a
 * pseudo-label, it cannot be satisfied by one class for everything.
 *
 * @param a, b logits of the views, float32 [P, K]
 */
export function mutualInformation(a: Value, b: Value): Value {
  const [pairs, classes] = a.shape as readonly [number, number];
  const joint = matMul(softmax(a), softmax(b), { transposeA: true });
  const symmetric = div(add(joint, transpose(joint, [1, 0])), 2 * pairs);
  const lnMarginal = log(add(reduceSum(symmetric, [1], { keepDims: true }), smallestProbability));
  const lnProduct = add(
    broadcastTo(lnMarginal, [classes, classes]),
    broadcastTo(transpose(lnMarginal, [1, 0]), [classes, classes]),
  );
  return reduceSum(mul(symmetric, sub(log(add(symmetric, smallestProbability)), lnProduct)), [0, 1]);
}

export interface PseudoLabelOptions {
  /** τ: probability, 0–1, from which a class counts as named with confidence. */
  readonly threshold: number;
}

/**
 * Cross-entropy of one view against the class that the other view is given with confidence (Sohn et al. 2020,
 * "FixMatch", equation 4):
 *
 *   L = (1/P) Σₙ [max pₙ ≥ τ] · H(argmax pₙ, qₙ)
 *
 * No gradient reaches the view that names the class.
 *
 * @param confident logits of the mildly distorted view, float32 [P, K]
 * @param distorted logits of the strongly distorted view, float32 [P, K]
 */
export function pseudoLabelLoss(
  confident: Value,
  distorted: Value,
  { threshold }: PseudoLabelOptions,
): Value {
  const [pairs, classes] = confident.shape as readonly [number, number];
  const targets = argMax(confident);
  const highest = reduceSum(mul(oneHot(targets, classes), softmax(confident)), [1], { keepDims: true });
  // Column 1 of [τ, max p] is the larger one exactly where the threshold is passed.
  const beside = add(
    mul(highest, constant(float32([1, 2], [0, 1]))),
    constant(float32([1, 2], [threshold, 0])),
  );
  const chosen = cast(argMax(beside), 'float32');
  return div(reduceSum(mul(chosen, crossEntropies(distorted, targets, {})), [0]), pairs);
}

/** Number of rows of logits [N, K] whose maximum is at the target: float32 scalar. */
export function countCorrect(logits: Value, targets: Value): Value {
  return reduceSum(equal(argMax(logits), targets), [0]);
}

/** Rows `from` … `to` − 1 of x [N, K], as a product with rows of the identity. */
export function rowsOf(x: Value, from: number, to: number): Value {
  const [n] = x.shape as readonly [number, number];
  if (from === 0 && to === n) return x;
  const selection = new Float32Array((to - from) * n);
  for (let row = from; row < to; row++) selection[(row - from) * n + row] = 1;
  return matMul(constant(float32([to - from, n], selection)), x);
}

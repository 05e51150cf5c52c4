import { crossEntropy } from '../train/cross-entropy.js';

/** Logits whose classes are known. */
export interface KnownLogits {
  /** float32 [N, K], row-major. */
  readonly logits: Float32Array;
  /** Class number of each of the N rows. */
  readonly targets: ArrayLike<number>;
}

/** Standard deviation of ln T before anything is measured: a factor of two either way is nothing unusual. */
const priorDeviation = Math.LN2;

/** No classifier is a hundred times as sure as it should be; beyond, a softmax leaves float32. */
const [lowest, highest] = [Math.log(0.05), Math.log(20)];

/**
 * Temperature that makes a classifier's probabilities softmax(logits / T) fit labels that it did not learn from (Guo et al. 2017,
 * section 4.2). It minimises
 *
 *   Σ −ln softmax(logits / T)[target] + (ln T)² / 2σ²,   σ = ln 2
 *
 * The second part is a prior: a hundred labels of which two are missed tell little of how sure to be, and without any miss nothing
 * but the prior would keep T from 0. It weighs as much as a label or two. The classes said never change.
 *
 * @returns T > 0; 1 if there are no labels
 * @example
 * const temperature = fitTemperature({ logits, targets });
 */
export function fitTemperature(known: KnownLogits): number {
  if (known.targets.length === 0) return 1;
  const cost = (logT: number) =>
    known.targets.length * logLossAt(known, Math.exp(logT)) + logT ** 2 / (2 * priorDeviation ** 2);
  // A grid finds the valley, golden sections its lowest point.
  const steps = 60;
  const at = (i: number) => lowest + ((highest - lowest) * i) / steps;
  let best = 0;
  for (let i = 1; i <= steps; i++) if (cost(at(i)) < cost(at(best))) best = i;
  let [low, high] = [at(Math.max(0, best - 1)), at(Math.min(steps, best + 1))];
  const golden = (Math.sqrt(5) - 1) / 2;
  while (high - low > 1e-6) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (cost(a) < cost(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

/** Mean cross-entropy of softmax(logits / T), in nats. */
export function logLossAt({ logits, targets }: KnownLogits, temperature: number): number {
  const k = logits.length / targets.length;
  const row = new Float64Array(k);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) {
    for (let c = 0; c < k; c++) row[c] = logits[i * k + c]! / temperature;
    sum += crossEntropy(row, targets[i]!);
  }
  return sum / targets.length;
}

/** softmax(logits / T), row by row: float32 [N, K]. */
export function probabilitiesAt(logits: Float32Array, classCount: number, temperature: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let own = 0; own < logits.length; own += classCount) {
    const row = logits.subarray(own, own + classCount);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (const logit of row) sum += Math.exp((logit - most) / temperature);
    row.forEach((logit, k) => {
      probabilities[own + k] = Math.exp((logit - most) / temperature) / sum;
    });
  }
  return probabilities;
}

/** Probability of the likeliest class of each row of float32 [N, K]. */
export function confidencesOf(probabilities: Float32Array, classCount: number): Float32Array {
  return Float32Array.from({ length: probabilities.length / classCount }, (_, i) =>
    probabilities.subarray(i * classCount, (i + 1) * classCount).reduce((a, b) => Math.max(a, b), 0),
  );
}

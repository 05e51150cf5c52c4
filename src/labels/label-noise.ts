import { QuarterturnError } from '../errors.js';

/** Answers of somebody who did not know the labels, and the labels as they were given. */
export interface JudgedLabels {
  /** float32 [N, K], row-major. */
  readonly logits: Float32Array;
  /** Class number of each of the N labels. */
  readonly given: ArrayLike<number>;
}

/** How far given labels can be believed. */
export interface LabelNoise {
  /** Share of labels that are wrong, ε, 0–1. */
  readonly rate: number;
  /** What logits are divided by before the softmax, T. */
  readonly temperature: number;
  /** Mean of −ln p(given label), in nats: the less, the better the answers explain the labels. */
  readonly logLoss: number;
  /** What is to be thought of each label, in their order. */
  readonly labels: readonly LabelVerdict[];
}

export interface LabelVerdict {
  /** The likeliest of the other classes. */
  readonly rival: number;
  /** Its probability by the answers alone, q, 0–1. */
  readonly probability: number;
  /** Probability that the given label is wrong, which counts as evidence itself, 0–1. */
  readonly wrong: number;
}

/** Standard deviation of ln T before anything is measured, as where a classifier is calibrated (`fitTemperature`). */
const priorDeviation = Math.LN2;

/**
 * Labels that are wrong and right in an imagined sample seen before: one in twenty. Large collections have 3 % of wrong labels
 * (Northcutt, Athalye and Mueller 2021, "Pervasive Label Errors in Test Sets"), and forty labels outweigh it.
 */
const [wrongBefore, rightBefore] = [2, 38];

/** Labels that ε and T are fitted to at most: two numbers need no more. */
const fittedLabels = 1000;

/** ε and T where the search begins: of few labels there may be two valleys, few of them wrong or many. */
const starts = [
  { rate: 0.02, temperature: 1 },
  { rate: 0.2, temperature: 1 / 3 },
];

/**
 * Finds out which labels are likely to be wrong, and how many are.
 *
 * Answers q = softmax(z / T) are compared with the labels. A label is right with probability 1 − ε, and else names any other class,
 * each as likely as the next. So a label g is seen with probability
 *
 *   p(g) = (1 − ε) · q_g + ε · (1 − q_g) / (K − 1),
 *
 * of which the second part is the share of g being wrong. Those ε and T are taken that make the given labels most probable, with a
 * prior each. Answers that are often wrong get a high T, and then contradict no label with
 * confidence.
 *
 * @returns nothing is doubted without labels or with a single class
 * @throws QuarterturnError `usage` if logits and labels do not fit each other
 * @see Angluin and Laird, "Learning From Noisy Examples", 1988, on such noise
 * @example
 * const { labels } = fitLabelNoise({ logits, given });
 * const doubted = labels.filter(({ wrong }) => wrong > 0.2);
 */
export function fitLabelNoise({ logits, given }: JudgedLabels): LabelNoise {
  const count = given.length;
  const classCount = count === 0 ? 0 : logits.length / count;
  if (!Number.isInteger(classCount)) {
    throw new QuarterturnError(
      'usage',
      `fitLabelNoise: expected as many logits for each of ${count} labels. Received: ${logits.length} logits.`,
    );
  }
  if (classCount < 2) {
    const labels = Array.from({ length: count }, () => ({ rival: 0, probability: 0, wrong: 0 }));
    return { rate: 0, temperature: 1, logLoss: 0, labels };
  }
  const q = new Float64Array(classCount);
  const lossOf = (i: number, rate: number, temperature: number): number => {
    answer(logits, i * classCount, temperature, q);
    const own = q[given[i] ?? 0] ?? 0;
    return -Math.log((1 - rate) * own + (rate * (1 - own)) / (classCount - 1));
  };
  const meanLoss = (indices: readonly number[], rate: number, temperature: number): number =>
    indices.reduce((sum, i) => sum + lossOf(i, rate, temperature), 0) / indices.length;
  const fitted = spreadEvenly(count, fittedLabels);
  const cost = ([logitOfRate, logT]: Point): number => {
    const rate = shareOf(logitOfRate);
    const prior = -wrongBefore * Math.log(rate) - rightBefore * Math.log(1 - rate);
    const labels = fitted.length * meanLoss(fitted, rate, Math.exp(logT));
    return labels + prior + logT ** 2 / (2 * priorDeviation ** 2);
  };
  const [best] = starts
    .map(({ rate, temperature }) => lowestFrom([Math.log(rate / (1 - rate)), Math.log(temperature)], cost))
    .sort((a, b) => a.cost - b.cost);
  const [logitOfRate, logT] = best?.point ?? [0, 0];
  const [rate, temperature] = [shareOf(logitOfRate), Math.exp(logT)];
  const labels = Array.from({ length: count }, (_, i) => {
    answer(logits, i * classCount, temperature, q);
    return verdictOn(given[i] ?? 0, q, rate);
  });
  return { rate, temperature, logLoss: meanLoss(fitted, rate, temperature), labels };
}

/** ln(ε / (1 − ε)) and ln T. */
type Point = readonly [logitOfRate: number, logT: number];

function shareOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** At most so many of the numbers from 0, evenly spread. */
function spreadEvenly(count: number, most: number): readonly number[] {
  const length = Math.min(count, most);
  return Array.from({ length }, (_, i) => Math.floor((i * count) / length));
}

/** What is to be thought of a label, by answers q. */
function verdictOn(label: number, q: Float64Array, rate: number): LabelVerdict {
  let [rival, most] = [-1, -1];
  q.forEach((share, k) => {
    if (k !== label && share > most) [rival, most] = [k, share];
  });
  const own = q[label] ?? 0;
  const right = (1 - rate) * own;
  const wrong = (rate * (1 - own)) / (q.length - 1);
  return { rival, probability: most, wrong: wrong / (right + wrong) };
}

/** Least share of a class: nothing is impossible, or one answer alone could decide on T. */
const leastShare = 1e-12;

/** q = softmax(z / T) of the row of logits that begins at a place. */
function answer(logits: Float32Array, from: number, temperature: number, q: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < q.length; k++) most = Math.max(most, logits[from + k] ?? 0);
  let sum = 0;
  for (let k = 0; k < q.length; k++) {
    const share = Math.max(Math.exp(((logits[from + k] ?? 0) - most) / temperature), leastShare);
    q[k] = share;
    sum += share;
  }
  for (let k = 0; k < q.length; k++) q[k] = (q[k] ?? 0) / sum;
}

/**
 * The lowest point that is reached from a start, by steps along one axis after the other that get shorter.
 * @see Hooke and Jeeves, "Direct Search Solution of Numerical and Statistical Problems", 1961
 */
function lowestFrom(
  start: Point,
  cost: (point: Point) => number,
): { readonly point: Point; readonly cost: number } {
  let best = { point: start, cost: cost(start) };
  for (let step = 1; step > 0.01; ) {
    const before = best.cost;
    const [a, b] = best.point;
    const around: readonly Point[] = [
      [a + step, b],
      [a - step, b],
      [a, b + step],
      [a, b - step],
    ];
    for (const point of around) {
      const next = { point, cost: cost(point) };
      if (next.cost < best.cost - 1e-9) best = next;
    }
    if (best.cost === before) step /= 2;
  }
  return best;
}

import { selectImages } from '../../data/image-source.js';
import { confidencesOf, fitTemperature, logLossAt, probabilitiesAt } from '../../model/temperature.js';
import { type FoldAnswers, pooledAnswers } from '../../store/fold-answers.js';
import type { Calibration, Estimate } from '../../store/run-record.js';
import { indexOfLargest } from '../../tensor/index-of-largest.js';
import { computeLogits } from '../../train/evaluate.js';
import { reliabilityOf } from '../../train/reliability.js';
import { wilsonInterval } from '../../train/wilson.js';
import { type RecipeContext, silentContext } from '../context.js';
import { type HeldBackEvidence, sampleOfPile } from './evidence.js';
import type { TrainedNetwork } from './finetune.js';

/** How good a classifier is and how sure it may be, by labels that were held back. */
export interface Appraisal {
  readonly estimate: Estimate;
  readonly calibration: Calibration;
  /** Calibrated probability of the likeliest class of each image of a sample of the pile; empty if there is no pile. */
  readonly ofPile: Float32Array;
}

interface AppraiseOptions {
  readonly draw: number;
  /** Evidence for the stage that trained the classifier. */
  readonly evidence: HeldBackEvidence | undefined;
  /** How much too good it looks because it was chosen by the same labels, 0–1: see `optimismOfChoice`. */
  readonly optimism: number;
}

/**
 * Calibrates a classifier and estimates its accuracy, from how the networks that learned without a fold classified the labels held
 * back.
 *
 * The interval is Wilson's, its upper end raised by what the classifier may have gained over those networks, since it learned
 * from more labels and longer (see {@link possibleGain}), its lower end lowered by how much the choice flatters the classifier
 * that was chosen (see `optimismOfChoice`).
 *
 * @returns undefined if nothing could be held back, or if no network answered
 */
export async function appraise(
  context: RecipeContext,
  { network, weights }: TrainedNetwork,
  { draw, evidence, optimism }: AppraiseOptions,
): Promise<Appraisal | undefined> {
  const answers = evidence?.answers.filter(({ logits }) => logits !== null) ?? [];
  if (evidence === undefined || answers.length === 0) return undefined;
  const calibration = calibrationFrom(answers);
  const sample = sampleOfPile(context, draw);
  const logits =
    sample.length === 0
      ? new Float32Array()
      : await computeLogits(
          network,
          weights,
          { title: 'a sample of the pile', images: selectImages(context.data.train.images, sample) },
          silentContext(context),
        );
  const probabilities = probabilitiesAt(logits, network.classes, calibration.temperature);
  const gain = possibleGain(probabilities, answers, evidence.summary.of);
  const estimate = estimateFrom(evidence, { optimism, gain });
  return { estimate, calibration, ofPile: confidencesOf(probabilities, network.classes) };
}

/** What a kept classifier may be worse or better by than its held-back labels say, 0–1 each. */
interface Allowance {
  /** How much too good it looks because it was chosen by the same labels. */
  readonly optimism: number;
  /** What it may have gained over the networks that learned without a fold. */
  readonly gain: number;
}

/** The estimate of a kept classifier by its held-back labels: Wilson's interval, made longer at both ends by what may be wrong with it. */
export function estimateFrom(
  { summary, answers }: Pick<HeldBackEvidence, 'summary' | 'answers'>,
  { optimism, gain }: Allowance,
): Estimate {
  const { found, of } = summary;
  const one = answers.length === 1;
  return {
    accuracy: found / of,
    low: wilsonInterval(Math.max(0, found - optimism * of), of).low,
    high: Math.min(1, wilsonInterval(found, of).high + gain),
    level: 0.95,
    heldBack: of,
    method: `labels held back from ${one ? 'one network that' : `${answers.length} networks, each of which`} learned from the other labels; Wilson's interval, its upper end raised by what the classifier may have gained over ${one ? 'it' : 'them'}, its lower end lowered by how much the choice among classifiers flatters the one chosen`,
  };
}

/**
 * How much more often a classifier may be right than those that learned without a fold. Over a sample of the pile, g is the mean of
 *
 *   p(its own answer) − p(their answer),
 *
 * p being its calibrated probabilities: only images count on which the answers differ. As n labels say how sure it may be, g is
 * not known better than √(g/n), which is added; and no two classifiers differ in accuracy by more than the share of images on which
 * their answers do.
 *
 * @param probabilities of the sample, float32 [images, K]
 * @param heldBack n
 * @returns 0–1
 */
export function possibleGain(
  probabilities: Float32Array,
  answers: readonly Pick<FoldAnswers, 'sample'>[],
  heldBack: number,
): number {
  let [sum, differing, count] = [0, 0, 0];
  for (const { sample } of answers) {
    const classCount = probabilities.length / Math.max(1, sample.length);
    sample.forEach((said, i) => {
      const row = probabilities.subarray(i * classCount, (i + 1) * classCount);
      const own = indexOfLargest(row);
      sum += (row[own] ?? 0) - (row[said] ?? 0);
      differing += own === said ? 0 : 1;
      count++;
    });
  }
  if (count === 0) return 0;
  const gain = sum / count;
  return Math.min(differing / count, gain + Math.sqrt(gain / heldBack));
}

/** The temperature that held-back labels ask for, and what it changes on them. */
export function calibrationFrom(answers: readonly FoldAnswers[]): Calibration {
  const { logits, targets } = pooledAnswers(answers);
  const classCount = logits.length / targets.length;
  const known = { logits, targets };
  const temperature = fitTemperature(known);
  const reliabilityAt = (t: number) => reliabilityOf(probabilitiesAt(logits, classCount, t), targets);
  const after = reliabilityAt(temperature);
  return {
    temperature,
    heldBack: targets.length,
    eceBefore: reliabilityAt(1).expectedCalibrationError,
    eceAfter: after.expectedCalibrationError,
    logLossBefore: logLossAt(known, 1),
    logLossAfter: logLossAt(known, temperature),
    bins: after.bins,
  };
}

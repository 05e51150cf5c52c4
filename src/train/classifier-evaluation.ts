import { Random } from '../random/random.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import { type ClassMetrics, type ConfusionCell, ConfusionTally, macroF1 } from './class-metrics.js';
import { type Reliability, ReliabilityTally } from './reliability.js';

/** What a classifier said of an image whose class is known. */
export interface LabelledPrediction {
  /** How people know the image. */
  readonly name: string;
  /** Its true class, verbatim. */
  readonly label: string;
  /** float32 [K], 0–1. */
  readonly probabilities: Float32Array;
  /** Whether it is unlike all images that had a label when the classifier learned; default: no. */
  readonly unlike?: boolean | undefined;
  /** The image as the classifier saw it, uint8 [height, width, channels]; it is held only if it will be shown. */
  readonly pixels: Uint8Array;
}

/** An image to look at. */
export interface ShownPrediction {
  readonly name: string;
  readonly label: string;
  readonly predicted: string;
  /** Probability of the class that was said, 0–1. */
  readonly confidence: number;
  readonly pixels: Uint8Array;
}

/** Images of a class that the classifier has no output for. */
export interface UnknownClass {
  readonly name: string;
  readonly count: number;
  /** How many of them the classifier was unsure of; absent where nothing says when it is. */
  readonly unsure?: number;
  /** What they were taken for, most often first. */
  readonly takenFor: readonly { readonly name: string; readonly count: number }[];
}

/** Images, and how many of them the classifier was unsure of. */
export interface UnsureShare {
  readonly count: number;
  readonly unsure: number;
}

/** How well a classifier tells images of its classes from others: it should be unsure of the others alone. */
export interface UnsureEvaluation {
  /** Probability of the likeliest class below which it is unsure, 0–1. */
  readonly threshold: number;
  /** Images of its classes that it got right, and that it got wrong. */
  readonly right: UnsureShare;
  readonly wrong: UnsureShare;
  /** Images of classes that it does not know. */
  readonly unknown: UnsureShare;
}

/** How a classifier did on labelled images. */
export interface ClassifierEvaluation {
  /** Of the classifier, in the order of its outputs. */
  readonly classNames: readonly string[];
  /** Images of its classes, and how many of them it got right. */
  readonly total: number;
  readonly correct: number;
  /** Images of classes that it does not know, the most frequent first. In no other figure do they take part. */
  readonly unknownClasses: readonly UnknownClass[];
  /** Mean cross-entropy in nats; a probability below 1e-7, float32's resolution at 1, counts as that. null of no images. */
  readonly loss: number | null;
  /** See {@link macroF1}. */
  readonly macroF1: number | null;
  readonly classes: readonly ClassMetrics[];
  readonly cells: readonly ConfusionCell[];
  readonly reliability: Reliability;
  /** Null where nothing says when it is unsure. In no other figure is an unsure image left out. */
  readonly unsure: UnsureEvaluation | null;
  /** Those mistakes first that the classifier was surest of. */
  readonly mistakes: readonly ShownPrediction[];
  /** Other images, drawn from all of the classifier's classes. */
  readonly sample: readonly ShownPrediction[];
}

export interface EvaluationTallyOptions {
  /** Mistakes that are kept to be shown, and as many other images; default 0. */
  readonly shown?: number;
  /** Below which probability of its likeliest class an image is unsure; default: nobody asks. */
  readonly threshold?: number | undefined;
}

/**
 * Evaluates a classifier on labelled images, one at a time. What it holds grows with the pairs of classes that occur and the
 * images that are shown, not with the images.
 *
 * @example
 * const tally = new EvaluationTally(classifier.classNames);
 * for await (const prediction of predictions) tally.add(prediction);
 * const { correct, total } = tally.result();
 */
export class EvaluationTally {
  readonly #classNames: readonly string[];
  readonly #classOf: ReadonlyMap<string, number>;
  readonly #confusions: ConfusionTally;
  readonly #reliability = new ReliabilityTally();
  readonly #unknown = new Map<string, { unsure: number; readonly takenFor: Map<string, number> }>();
  readonly #threshold: number | undefined;
  readonly #unsure = { right: 0, wrong: 0 };
  readonly #shown: number;
  readonly #mistakes: ShownPrediction[] = [];
  readonly #sample: ShownPrediction[] = [];
  /** The same images in the same order give the same sample. */
  readonly #random = Random.seeded(0).split('evaluation', 'sample');
  #loss = 0;

  /** @param classNames of the classifier's K outputs */
  constructor(classNames: readonly string[], { shown = 0, threshold }: EvaluationTallyOptions = {}) {
    this.#classNames = classNames;
    this.#classOf = new Map(classNames.map((name, k) => [name, k]));
    this.#confusions = new ConfusionTally(classNames);
    this.#shown = shown;
    this.#threshold = threshold;
  }

  add(prediction: LabelledPrediction): void {
    const { label, probabilities } = prediction;
    const predicted = indexOfLargest(probabilities);
    const name = this.#classNames[predicted] ?? '';
    const actual = this.#classOf.get(label);
    const confidence = probabilities[predicted] ?? 0;
    const unsure = prediction.unlike || confidence < (this.#threshold ?? 0) ? 1 : 0;
    if (actual === undefined) {
      const own = this.#unknown.get(label) ?? { unsure: 0, takenFor: new Map<string, number>() };
      own.takenFor.set(name, (own.takenFor.get(name) ?? 0) + 1);
      own.unsure += unsure;
      this.#unknown.set(label, own);
      return;
    }
    this.#unsure[actual === predicted ? 'right' : 'wrong'] += unsure;
    this.#confusions.add(actual, predicted);
    this.#reliability.add(confidence, actual === predicted);
    this.#loss -= Math.log(Math.max(smallestProbability, probabilities[actual] ?? 0));
    const pick = () => ({
      name: prediction.name,
      label,
      predicted: name,
      confidence,
      pixels: prediction.pixels.slice(),
    });
    if (actual !== predicted) this.#keepMistake(confidence, pick);
    this.#keepSample(pick);
  }

  /** What was counted so far. */
  result(): ClassifierEvaluation {
    const { total, correct } = this.#confusions;
    const classes = this.#confusions.perClass();
    const unknownClasses = [...this.#unknown]
      .map(([name, { unsure, takenFor }]) => ({
        ...unknownClass(name, takenFor),
        ...(this.#threshold !== undefined && { unsure }),
      }))
      .sort((a, b) => b.count - a.count);
    const inMistakes = new Set(this.#mistakes.map(({ name }) => name));
    return {
      classNames: this.#classNames,
      total,
      correct,
      unknownClasses,
      loss: total === 0 ? null : this.#loss / total,
      macroF1: macroF1(classes),
      classes,
      cells: this.#confusions.cells(),
      reliability: this.#reliability.result(),
      unsure: this.#unsureIn(unknownClasses),
      mistakes: [...this.#mistakes],
      sample: this.#sample.filter(({ name }) => !inMistakes.has(name)).slice(0, this.#shown),
    };
  }

  #unsureIn(unknownClasses: readonly UnknownClass[]): UnsureEvaluation | null {
    if (this.#threshold === undefined) return null;
    const { total, correct } = this.#confusions;
    const { right, wrong } = this.#unsure;
    return {
      threshold: this.#threshold,
      right: { count: correct, unsure: right },
      wrong: { count: total - correct, unsure: wrong },
      unknown: {
        count: unknownClasses.reduce((sum, { count }) => sum + count, 0),
        unsure: unknownClasses.reduce((sum, { unsure = 0 }) => sum + unsure, 0),
      },
    };
  }

  #keepMistake(confidence: number, pick: () => ShownPrediction): void {
    const place = this.#mistakes.findIndex((mistake) => mistake.confidence < confidence);
    if (place < 0 && this.#mistakes.length >= this.#shown) return;
    this.#mistakes.splice(place < 0 ? this.#mistakes.length : place, 0, pick());
    if (this.#mistakes.length > this.#shown) this.#mistakes.pop();
  }

  /** Vitter's algorithm R: after n images, each of them is in the sample with the same probability. */
  #keepSample(pick: () => ShownPrediction): void {
    // Twice as many as are shown: some may be among the mistakes already.
    const size = 2 * this.#shown;
    const seen = this.#confusions.total;
    const place = seen <= size ? seen - 1 : this.#random.integer(seen);
    if (place < size) this.#sample[place] = pick();
  }
}

/** A softmax in float32 rounds what lies below to nothing, whose logarithm is infinite. */
const smallestProbability = 1e-7;

function unknownClass(name: string, said: ReadonlyMap<string, number>): UnknownClass {
  const takenFor = [...said].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
  return { name, count: takenFor.reduce((sum, { count }) => sum + count, 0), takenFor };
}

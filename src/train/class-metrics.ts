import { QuarterturnError } from '../errors.js';

/** How a classifier did on the images of one class. */
export interface ClassMetrics {
  readonly name: string;
  /** Images of the class. */
  readonly support: number;
  /** Images that were taken for the class. */
  readonly predicted: number;
  /** Right answers among those that named the class, 0–1; null where none did. */
  readonly precision: number | null;
  /** Images of the class that were recognised, 0–1; null where there are none. */
  readonly recall: number | null;
  /** Harmonic mean of the two, `2·TP / (support + predicted)`, 0–1; null where the class has no images. */
  readonly f1: number | null;
}

/** Images of one class that were taken for another. */
export interface ConfusedPair {
  readonly actual: string;
  readonly predicted: string;
  readonly count: number;
}

/** Numbers of the true and of the predicted class, and how many images it was. */
export type ConfusionCell = readonly [actual: number, predicted: number, count: number];

/** Counts true against predicted classes, in memory that grows with the pairs that occur, not with K². */
export class ConfusionTally {
  readonly #classNames: readonly string[];
  /** Count of `actual · K + predicted`. */
  readonly #cells = new Map<number, number>();
  readonly #support: Float64Array;
  readonly #predicted: Float64Array;
  #total = 0;
  #correct = 0;

  /** @param classNames of the K classes, in the order of their numbers */
  constructor(classNames: readonly string[]) {
    this.#classNames = classNames;
    this.#support = new Float64Array(classNames.length);
    this.#predicted = new Float64Array(classNames.length);
  }

  /**
   * @param actual true class number, 0 … K − 1
   * @param predicted class number that was said
   * @throws QuarterturnError `usage` for a class that there is not
   */
  add(actual: number, predicted: number): void {
    const k = this.#classNames.length;
    for (const value of [actual, predicted]) {
      if (Number.isInteger(value) && value >= 0 && value < k) continue;
      throw new QuarterturnError(
        'usage',
        `confusions: expected class numbers from 0 to ${k - 1}. Received: ${value}.`,
      );
    }
    const cell = actual * k + predicted;
    this.#cells.set(cell, (this.#cells.get(cell) ?? 0) + 1);
    this.#support[actual] = (this.#support[actual] ?? 0) + 1;
    this.#predicted[predicted] = (this.#predicted[predicted] ?? 0) + 1;
    this.#total += 1;
    if (actual === predicted) this.#correct += 1;
  }

  get total(): number {
    return this.#total;
  }

  get correct(): number {
    return this.#correct;
  }

  /** One entry a class, in their order. */
  perClass(): readonly ClassMetrics[] {
    const k = this.#classNames.length;
    return this.#classNames.map((name, i) => {
      const right = this.#cells.get(i * k + i) ?? 0;
      const support = this.#support[i] ?? 0;
      const predicted = this.#predicted[i] ?? 0;
      return {
        name,
        support,
        predicted,
        precision: predicted === 0 ? null : right / predicted,
        recall: support === 0 ? null : right / support,
        f1: support === 0 ? null : (2 * right) / (support + predicted),
      };
    });
  }

  /** `[actual, predicted, count]` of each pair of class numbers that occurs, in the order of the classes. */
  cells(): readonly ConfusionCell[] {
    const k = this.#classNames.length;
    return [...this.#cells]
      .sort(([a], [b]) => a - b)
      .map(([cell, count]) => [Math.floor(cell / k), cell % k, count]);
  }
}

/** The pairs that are mistakes, the most confused first; of equally many, in the order of the classes. */
export function confusedPairs({
  classNames,
  cells,
}: {
  readonly classNames: readonly string[];
  readonly cells: readonly ConfusionCell[];
}): readonly ConfusedPair[] {
  return cells
    .filter(([actual, predicted, count]) => actual !== predicted && count > 0)
    .toSorted((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])
    .map(([actual, predicted, count]) => ({
      actual: classNames[actual] ?? '',
      predicted: classNames[predicted] ?? '',
      count,
    }));
}

/**
 * Mean F1 of the classes that have images, 0–1: each class counts alike, however many images it has. (Classes of which there
 * is nothing to recognise have none.) null where no class has images.
 */
export function macroF1(classes: readonly ClassMetrics[]): number | null {
  const values = classes.flatMap(({ f1 }) => (f1 === null ? [] : [f1]));
  return values.length === 0 ? null : values.reduce((sum, f1) => sum + f1, 0) / values.length;
}

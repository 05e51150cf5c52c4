import { isUnsure } from '../../../node.js';
import type { RunAnswers } from '../explore/run-answers.js';
import { filesOfSame, type Pile } from '../pile.js';

/** What a run's classifier says of an image of the pile. */
export interface SaidOfImage {
  readonly id: string;
  /** Of the files that are this picture, the one that stands for it first. */
  readonly files: readonly string[];
  /** Index of the likeliest class in `classNames`. */
  readonly best: number;
  /** Of all classes, in their order. */
  readonly probabilities: readonly number[];
  /** By the rule of `quarterturn predict`; false where the answers do not say when it is. */
  readonly isUnsure: boolean;
}

/** What a run's classifier says of every image of the pile, in the pile's order; without those that it was not asked about. */
export function* saidOfPile(
  { images, duplicates }: Pick<Pile, 'images' | 'duplicates'>,
  { classNames, probabilities, images: asked, unsure }: RunAnswers,
): Generator<SaidOfImage> {
  const k = classNames.length;
  const rowOf = new Map(asked.map((id, row) => [id, row]));
  const filesOf = filesOfSame(duplicates);
  const unlike = new Set(unsure?.unlike);
  for (const { id, name } of images) {
    const row = rowOf.get(id);
    if (row === undefined) continue;
    const own = [...probabilities.subarray(row * k, (row + 1) * k)];
    const probability = Math.max(...own);
    yield {
      ...{ id, files: filesOf.get(name) ?? [name], best: own.indexOf(probability), probabilities: own },
      isUnsure: isUnsure({ probability, ...(unlike.has(id) && { unlike: true }) }, { unsure: unsure?.below }),
    };
  }
}

import type { LabelClass } from '../../project/label-events.js';
import type { PileImage } from '../pile.js';
import { AnswersByImage, type RunAnswers } from './run-answers.js';

/** Of an image, by its index in the pile: id of its class, a mark, or undefined. */
export type LabelAt = (index: number) => string | undefined;

export interface RunLookOptions {
  readonly answers: RunAnswers;
  readonly images: readonly Pick<PileImage, 'id'>[];
  /** Ids of the run's classes, in their order, where it has kept them. */
  readonly classIds: readonly (string | undefined)[];
}

/** A class as a run knows it. */
export interface RunClass {
  /** Of the project's class; `k3` of one that the project does not have, by its number. */
  readonly id: string;
  /** As it is called in the run. */
  readonly name: string;
}

/** How often images of each class were taken for which. */
export interface Confusion {
  readonly runId: string;
  /** Classes of labels as they are now, from top to bottom; what images are taken for, from left to right. */
  readonly rows: readonly { readonly id: string; readonly name: string }[];
  readonly columns: readonly RunClass[];
  /** By row and column. */
  readonly counts: readonly (readonly number[])[];
  /** Images with a label of which the run was not asked. */
  readonly unasked: number;
}

/** What a run says of the images of the pile, in the pile's order. */
export class RunLook {
  readonly runId: string;
  readonly answers: RunAnswers;
  readonly #classIds: RunLookOptions['classIds'];
  readonly #byImage: AnswersByImage;
  readonly #images: RunLookOptions['images'];
  /** Class number that each image is taken for; −1 where nobody was asked. */
  readonly #said: Int32Array;
  readonly #probability: Float32Array;

  constructor({ answers, images, classIds }: RunLookOptions) {
    this.runId = answers.run;
    this.answers = answers;
    this.#classIds = classIds;
    this.#images = images;
    this.#byImage = new AnswersByImage(answers);
    this.#said = new Int32Array(images.length).fill(-1);
    this.#probability = new Float32Array(images.length);
    for (const [index, { id }] of images.entries()) {
      const said = this.#byImage.of(id);
      if (said === undefined) continue;
      this.#said[index] = said.class;
      this.#probability[index] = said.probability;
    }
  }

  /** Whether images came to the pile of which the run was not asked. */
  get hasUnasked(): boolean {
    return this.#said.includes(-1);
  }

  /**
   * The run's classes. One that the run has no id of is the project's of the same name.
   * @param now of the project
   */
  classes(now: readonly Pick<LabelClass, 'id' | 'name'>[]): readonly RunClass[] {
    const idOf = new Map(now.map(({ id, name }) => [name, id]));
    return this.answers.classNames.map((name, k) => ({
      id: this.#classIds[k] ?? idOf.get(name) ?? `k${k}`,
      name,
    }));
  }

  /** Class number and probability of what an image is taken for; undefined where nobody was asked. */
  saidOf(index: number): { readonly class: number; readonly probability: number } | undefined {
    const said = this.#said[index] ?? -1;
    return said < 0 ? undefined : { class: said, probability: this.#probability[index] ?? 0 };
  }

  /** How sure the run is that an image is of a class, 0–1; undefined where nobody was asked. */
  probabilityOf(index: number, classNumber: number): number | undefined {
    return this.#byImage.rowOf(this.#images[index]?.id ?? '')?.[classNumber];
  }

  /** Images that were taken for something, by a choice among them, the surest first. */
  surest(isIt: (index: number, said: number) => boolean): Int32Array {
    const chosen: number[] = [];
    for (const [index, said] of this.#said.entries()) if (said >= 0 && isIt(index, said)) chosen.push(index);
    const probability = this.#probability;
    return Int32Array.from(chosen).sort((a, b) => (probability[b] ?? 0) - (probability[a] ?? 0) || a - b);
  }

  /** All images of which the run was asked, those first that are likeliest to be of a class. */
  byProbability(classNumber: number): Int32Array {
    const sure = Float32Array.from(this.#images, (_, i) => this.probabilityOf(i, classNumber) ?? -1);
    const order = Int32Array.from(sure.keys()).filter((i) => (sure[i] ?? -1) >= 0);
    return order.sort((a, b) => (sure[b] ?? 0) - (sure[a] ?? 0) || a - b);
  }

  /** Counts over the images that have a label now; each is the number of images of its cell's queue. */
  confusion(now: readonly Pick<LabelClass, 'id' | 'name'>[], labelAt: LabelAt): Confusion {
    const columns = this.classes(now);
    const rowOf = new Map(now.map(({ id }, row) => [id, row]));
    const counts = now.map(() => columns.map(() => 0));
    let unasked = 0;
    for (const [index, said] of this.#said.entries()) {
      const row = counts[rowOf.get(labelAt(index) ?? '') ?? -1];
      if (row === undefined) continue;
      if (said < 0) unasked++;
      else row[said] = (row[said] ?? 0) + 1;
    }
    return {
      runId: this.runId,
      rows: now.map(({ id, name }) => ({ id, name })),
      ...{ columns, counts, unasked },
    };
  }
}

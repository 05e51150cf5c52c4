import { z } from 'zod';

const hashes = z.array(z.string()).readonly();

/** `answers.json`: what a run's classifier says of the images of its pile; numbers lie in files beside it. */
export const answersSchema = z
  .object({
    schema: z.literal('quarterturn-answers'),
    version: z.literal(1),
    /** Id of the run. */
    run: z.string(),
    /** In the order of the probabilities. */
    classNames: z.array(z.string()).readonly(),
    /** Hashes of the images, each once: the rows of `probabilities.f32`. */
    images: hashes,
    /** Images that the run learned from, of which networks without their label were asked: the rows of `held-back.f32`. */
    heldBack: hashes,
    /** Labels that the rest of the run contradicts, the likeliest to be wrong first; null where nobody was asked. */
    doubted: z
      .array(
        z
          .object({ image: z.string(), label: z.string(), suggested: z.string(), wrong: z.number() })
          .readonly(),
      )
      .readonly()
      .nullable(),
    /**
     * When the classifier is unsure of an image: below this probability, and of these, which are unlike all that had a label. Absent where
     * its file does not say.
     */
    unsure: z.object({ below: z.number(), unlike: hashes }).readonly().optional(),
    /** How some images are described, in `features.f32`; null where the run has no network of its own. */
    features: z
      .object({
        /** Rows of `images`: those that the run learned from, and some of the others. */
        rows: z.array(z.int().min(0)).readonly(),
        dimensions: z.int().min(1),
        /** With which `encoder.onnx` beside it is opened, so that other images are described alike. */
        options: z.record(z.string(), z.unknown()).readonly(),
      })
      .readonly()
      .nullable(),
  })
  .readonly();
export type AnswersFile = z.infer<typeof answersSchema>;

/** What a run says of the images of its pile. */
export interface RunAnswers extends AnswersFile {
  /** float32 [images, K]. */
  readonly probabilities: Float32Array;
  /** float32 [heldBack, K]. */
  readonly heldBackProbabilities: Float32Array;
}

/** What is said of an image. */
export interface Said {
  /** Index in `classNames`. */
  readonly class: number;
  readonly probability: number;
}

/** What a run says of an image, by its hash: where it learned from it, what networks said that did not. */
export class AnswersByImage {
  readonly #answers: RunAnswers;
  readonly #rowOf: ReadonlyMap<string, number>;
  readonly #heldBackRowOf: ReadonlyMap<string, number>;

  constructor(answers: RunAnswers) {
    this.#answers = answers;
    this.#rowOf = new Map(answers.images.map((image, row) => [image, row]));
    this.#heldBackRowOf = new Map(answers.heldBack.map((image, row) => [image, row]));
  }

  /** Undefined for an image that it was not asked about. */
  of(image: string): Said | undefined {
    const probabilities = this.rowOf(image);
    if (probabilities === undefined) return undefined;
    let best = 0;
    for (let k = 1; k < probabilities.length; k++) {
      if ((probabilities[k] ?? 0) > (probabilities[best] ?? 0)) best = k;
    }
    return { class: best, probability: probabilities[best] ?? 0 };
  }

  /** float32 [K]; undefined for an image that it was not asked about. */
  rowOf(image: string): Float32Array | undefined {
    const { classNames, probabilities, heldBackProbabilities } = this.#answers;
    const held = this.#heldBackRowOf.get(image);
    const row = held ?? this.#rowOf.get(image);
    if (row === undefined) return undefined;
    const k = classNames.length;
    return (held === undefined ? probabilities : heldBackProbabilities).subarray(row * k, (row + 1) * k);
  }
}

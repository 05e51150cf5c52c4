import { z } from 'zod';
import { fromBase64, toBase64 } from './base64.js';

/** What a network that learned without a fold of the labels answers of that fold, and of a sample of the pile. */
export interface FoldAnswers {
  /** From 0. */
  readonly fold: number;
  /** Of the held-back labels among those of the draw. */
  readonly positions: readonly number[];
  /** Class number of each. */
  readonly targets: readonly number[];
  /** float32 [positions, K]; null if the training diverged: then it answers nothing. */
  readonly logits: Float32Array | null;
  /** Class of each image of the sample; empty if the training diverged or there is no pile. */
  readonly sample: Int32Array;
}

/**
 * The answers of all folds as one list, without the folds whose training diverged.
 * @returns logits as float32 [labels, K], with the class and the position of each label
 */
export function pooledAnswers(folds: readonly FoldAnswers[]): {
  readonly logits: Float32Array;
  readonly targets: readonly number[];
  readonly positions: readonly number[];
} {
  const answered = folds.flatMap(({ logits, ...fold }) => (logits ? [{ ...fold, logits }] : []));
  const logits = new Float32Array(answered.reduce((sum, fold) => sum + fold.logits.length, 0));
  let at = 0;
  for (const fold of answered) {
    logits.set(fold.logits, at);
    at += fold.logits.length;
  }
  return {
    logits,
    targets: answered.flatMap(({ targets }) => targets),
    positions: answered.flatMap(({ positions }) => positions),
  };
}

const count = z.int().min(0);

/** As `evidence.json` has them: numbers that nobody reads one by one are base64, little-endian. */
export const foldAnswersSchema = z
  .object({
    fold: count,
    positions: z.array(count).readonly(),
    targets: z.array(count).readonly(),
    logits: z.base64().nullable(),
    sample: z.base64(),
  })
  .refine(({ positions, targets }) => positions.length === targets.length && positions.length > 0, {
    path: ['targets'],
    error: 'expected one class for each position',
  })
  .refine(({ positions, logits }) => logits === null || bytesIn(logits) % (4 * positions.length) === 0, {
    path: ['logits'],
    error: 'expected base64 of a float32 for each class of each position',
  })
  .refine(({ sample }) => bytesIn(sample) % 4 === 0, {
    path: ['sample'],
    error: 'expected base64 of an int32 for each image',
  });
type PackedAnswers = z.infer<typeof foldAnswersSchema>;

function bytesIn(base64: string): number {
  return (3 * base64.length) / 4 - (base64.match(/=*$/)?.[0].length ?? 0);
}

export function packAnswers({ logits, sample, ...answers }: FoldAnswers): PackedAnswers {
  const packed = (values: Float32Array | Int32Array) => {
    const view = new DataView(new ArrayBuffer(4 * values.length));
    values.forEach((value, i) => {
      if (values instanceof Float32Array) view.setFloat32(4 * i, value, true);
      else view.setInt32(4 * i, value, true);
    });
    return toBase64(new Uint8Array(view.buffer));
  };
  return { ...answers, logits: logits && packed(logits), sample: packed(sample) };
}

export function unpackAnswers({ logits, sample, ...answers }: PackedAnswers): FoldAnswers {
  const view = (text: string) => new DataView(fromBase64(text).buffer);
  const floats = logits === null ? null : view(logits);
  const classes = view(sample);
  return {
    ...answers,
    logits:
      floats &&
      Float32Array.from({ length: floats.byteLength / 4 }, (_, i) => floats.getFloat32(4 * i, true)),
    sample: Int32Array.from({ length: classes.byteLength / 4 }, (_, i) => classes.getInt32(4 * i, true)),
  };
}

import { readGraphFile } from '../onnx/graph-file.js';
import { onnxDType } from '../onnx/model.js';
import { sizeOf } from '../tensor/tensor.js';
import type { Abstention } from './abstention.js';
import { readClassifierInterface } from './classifier-interface.js';
import type { Preprocessing } from './preprocessing.js';
import type { TrainingSummary } from './training-summary.js';

/** Description of a classifier's file, as far as the file contains one. */
export interface ModelDescription {
  readonly sizeBytes: number;
  /** Name of what it takes: uint8 [N, height, width, channels]. */
  readonly input: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Name of what it gives: float32 [N, classes]. */
  readonly output: string;
  readonly classes: number;
  /** Absent if the file has none: then classes are called by their number. */
  readonly classNames?: readonly string[];
  /** Absent if the file does not say how pictures become its images. */
  readonly preprocessing?: Preprocessing;
  /** Absent if the file does not say below which probability it is unsure. */
  readonly abstention?: Abstention;
  /** Absent if the file does not say what was learned from. */
  readonly training?: TrainingSummary;
  /** Numbers in its weights. */
  readonly parameters: number;
  /** How often each ONNX operator stands in it, the most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
}

/**
 * Reads the description in a classifier's file, without running the classifier.
 *
 * @param name the file, for messages
 * @example
 * const { height, width, classNames } = describeModel('model.onnx', await readFile('model.onnx'));
 * @throws QuarterturnError `data` for any other file, naming it and its kind
 */
export function describeModel(name: string, bytes: Uint8Array): ModelDescription {
  const { classNames, preprocessing, abstention, training, ...found } = readClassifierInterface(name, bytes);
  const { nodes, initializers } = readGraphFile(name, bytes);
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  const weights = initializers.filter(({ type }) => type === onnxDType.float32);
  return {
    sizeBytes: bytes.length,
    ...found,
    ...(classNames && { classNames }),
    ...(preprocessing && { preprocessing }),
    ...(abstention && { abstention }),
    ...(training && { training }),
    parameters: weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    operators: Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
  };
}

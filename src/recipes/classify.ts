import { labelledBatch } from '../data/batches.js';
import type { ImageDataset } from '../data/dataset.js';
import type { EvaluationSet } from '../train/evaluate.js';

/** The chosen images of a labelled data set, to be classified. */
export function labelledSet(title: string, dataset: ImageDataset, indices?: Uint32Array): EvaluationSet {
  const items = indices ?? Uint32Array.from({ length: dataset.count }, (_, i) => i);
  return {
    title,
    count: items.length,
    batch: (from, to) => labelledBatch(dataset, items.subarray(from, to)),
  };
}

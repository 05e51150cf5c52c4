import { type ImageDataset, subsetOf } from '../data/dataset.js';
import type { EvaluationSet } from '../train/evaluate.js';
import { labelsOf } from './labels.js';

/** The chosen images of a labelled data set, to be classified. */
export function labelledSet(title: string, dataset: ImageDataset, indices?: Uint32Array): EvaluationSet {
  const chosen = indices ? subsetOf(dataset, indices) : dataset;
  return { title, images: chosen.images, targets: labelsOf(chosen) };
}

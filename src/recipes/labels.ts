import { subsetOf } from '../data/batches.js';
import type { ImageDataset } from '../data/dataset.js';
import { firstPerClass, randomPerClass } from '../data/label-selection.js';
import { QuarterturnError } from '../errors.js';
import { type RecipeContext, randomFor } from './context.js';

/** The labels of a data set that must have them. */
export function labelsOf({ labels, name }: ImageDataset): Uint8Array {
  if (labels) return labels;
  throw new QuarterturnError('data', `${name}: expected labels. Received: images alone.`, {
    hint: 'Add the labels file beside the images.',
  });
}

/**
 * The labelled images of a draw, as indices into the training set.
 *
 * Draw 0 is the notebook's: the first of each class in file order. Further draws are random, each from its own stream,
 * so that draw 3 is the same whether three draws are asked for or ten.
 */
export function labelledIndices(
  context: Pick<RecipeContext, 'settings' | 'data'>,
  draw: number,
): Uint32Array {
  const { data, settings } = context;
  const { classNames } = data.train;
  const labels = labelsOf(data.train);
  return draw === 0
    ? firstPerClass(labels, classNames.length, settings.labelsPerClass)
    : randomPerClass(labels, classNames.length, settings.labelsPerClass, randomFor(context, 'labels', draw));
}

/** The labelled images of a draw as a data set of their own, in the order of {@link labelledIndices}. */
export function labelledImages(
  context: Pick<RecipeContext, 'settings' | 'data'>,
  draw: number,
): ImageDataset {
  const { train } = context.data;
  return subsetOf(train, labelledIndices(context, draw), `${train.name}, labelled`);
}

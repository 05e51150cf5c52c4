import { type ImageDataset, subsetOf } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import { classNamesFor, resolveLabels } from '../labels/given-labels.js';
import { firstPerClass, randomPerClass } from '../labels/label-selection.js';
import { type RecipeContext, randomFor } from './context.js';

/** The classes that are learned: those of the data, or those that the given labels name where the data names none. */
export function classNamesOf({
  settings,
  data,
}: Pick<RecipeContext, 'settings' | 'data'>): readonly string[] {
  return settings.labels ? classNamesFor(data.train, settings.labels) : data.train.classNames;
}

/** Whether anything says what an image shows: the data, or labels that were given. A pile may have neither. */
export function hasLabels({ settings, data }: Pick<RecipeContext, 'settings' | 'data'>): boolean {
  return settings.labels !== null || data.train.labels !== undefined;
}

/** The labels of a data set that must have them. */
export function labelsOf({ images, labels }: ImageDataset): Int32Array {
  if (labels) return labels;
  throw new QuarterturnError('data', `${images.name}: expected labels. Received: images alone.`, {
    hint: 'Add the labels file beside the images.',
  });
}

/**
 * The labelled images of a draw, as indices into the training set.
 *
 * Where the settings name them, these. Else draw 0 is the notebook's: the first of each class in file order; further
 * draws are random, each from its own stream, so that draw 3 is the same whether three draws are asked for or ten.
 */
export function labelledIndices(
  context: Pick<RecipeContext, 'settings' | 'data'>,
  draw: number,
): Uint32Array {
  const { data, settings } = context;
  if (settings.labels) return resolveLabels(data, settings.labels).indices;
  const { classNames } = data.train;
  const labels = labelsOf(data.train);
  return draw === 0
    ? firstPerClass(labels, classNames.length, settings.labelsPerClass)
    : randomPerClass(labels, classNames.length, settings.labelsPerClass, randomFor(context, 'labels', draw));
}

/**
 * The labelled images of a draw as a data set of their own, in the order of {@link labelledIndices}. Classes that the
 * settings give go over those of the data.
 */
export function labelledImages(
  context: Pick<RecipeContext, 'settings' | 'data'>,
  draw: number,
): ImageDataset {
  const { data, settings } = context;
  const name = `${data.train.images.name}, labelled`;
  const labelled = subsetOf(data.train, labelledIndices(context, draw), { name });
  if (settings.labels === null) return labelled;
  const { classes } = resolveLabels(data, settings.labels);
  return { ...labelled, labels: classes, classNames: classNamesOf(context) };
}

import { type ImageDataset, subsetOf } from '../data/dataset.js';
import { hashImages } from '../data/image-hash.js';
import { noClass } from '../data/label-values.js';
import { QuarterturnError } from '../errors.js';
import {
  classNamesIn,
  dataUnderLabels,
  labelledPlaces,
  type PlacedLabel,
  placesByIndex,
  resolveLabels,
} from '../labels/given-labels.js';
import { firstPerClass, randomPerClass } from '../labels/label-selection.js';
import { locateLabels } from '../labels/locate-labels.js';
import { type LabelRecord, type LabelSource, labelRecordSchema } from '../store/label-record.js';
import type { RunEventListener } from '../store/run-event.js';
import { type RecipeContext, randomFor } from './context.js';

/** The parts of the context that decide which images are labelled, and with which class. */
export type LabelContext = Pick<RecipeContext, 'settings' | 'data' | 'labels'>;

/**
 * Finds the images of the settings' labels in the data, by their content. In the context that it returns, the settings'
 * labels are complete, each with hash and index, and `labels` holds their indices. A context that has them is returned as
 * it is.
 *
 * @throws QuarterturnError `data` if labels do not fit the data, see `locateLabels`; `interrupted` if the signal is aborted
 */
export async function withLocatedLabels<
  T extends LabelContext & {
    readonly emit?: RunEventListener | undefined;
    readonly signal?: AbortSignal | undefined;
  },
>(context: T): Promise<T> {
  const { settings, data, labels: before, emit, signal } = context;
  if (settings.labels === null || settings.labels === before?.given) return context;
  const { images } = data.train;
  const labels = await locateLabels(settings.labels, { images, checksums: data.checksums, emit, signal });
  const total = labels.given.images.length;
  const { moved, missing } = labels;
  if (moved + missing > 0) emit?.({ type: 'labels-located', data: images.name, total, moved, missing });
  return {
    ...context,
    data: dataUnderLabels(data, labels.given),
    settings: { ...settings, labels: labels.given },
    labels,
  };
}

/** The places of the given labels' images, those that still wait for a class among them; undefined if no labels are given. */
function givenPlaces({ settings, data, labels }: LabelContext): readonly PlacedLabel[] | undefined {
  if (settings.labels === null) return undefined;
  return labels?.given === settings.labels ? labels.places : placesByIndex(data, settings.labels);
}

/** The places of the given labels; undefined if none are given. */
function placesOf(context: LabelContext): readonly PlacedLabel[] | undefined {
  const places = givenPlaces(context);
  return places && labelledPlaces(context.data.train, places);
}

/** The names of the classes to learn: those of the data, or those that the given labels use if the data names none. */
export function classNamesOf({
  settings,
  data,
}: Pick<RecipeContext, 'settings' | 'data'>): readonly string[] {
  return settings.labels ? classNamesIn(data.train, settings.labels) : data.train.classNames;
}

/** Whether any image has a label: from the data or from labels that were given. A pile may have neither. */
export function hasLabels({ settings, data }: Pick<RecipeContext, 'settings' | 'data'>): boolean {
  return settings.labels !== null || data.train.labels !== undefined;
}

/** The labels of a data set. @throws QuarterturnError `data` if it has none */
export function labelsOf({ images, labels }: ImageDataset): Int32Array {
  if (labels) return labels;
  throw new QuarterturnError('data', `${images.name}: expected labels. Received: images alone.`, {
    hint: 'Add the labels file beside the images.',
  });
}

/**
 * The images that the given labels name, with a class or still without one: indices into the training set, in the order
 * given; undefined if no labels are given.
 */
export function givenIndices(context: LabelContext): Uint32Array | undefined {
  const places = givenPlaces(context);
  return places && Uint32Array.from(places, ({ index }) => index);
}

/**
 * The labelled images of a draw, as indices into the training set.
 *
 * If labels are given, every draw has their images. Otherwise draw 0 is the notebook's, the first of each class in file order,
 * and further draws are random. Each has a random stream of its own, so that draw 3 is the same out of four draws or ten.
 */
export function labelledIndices(context: LabelContext, draw: number): Uint32Array {
  const { data, settings } = context;
  const places = placesOf(context);
  if (places) return resolveLabels(data.train, { places, classNames: classNamesOf(context) }).indices;
  const labels = labelsOf(data.train);
  if (settings.labelsPerClass === 'all') return allLabelled(labels);
  const options = { classNames: data.train.classNames, perClass: settings.labelsPerClass };
  return draw === 0
    ? firstPerClass(labels, options)
    : randomPerClass(labels, { ...options, random: randomFor(context, 'labels', draw) });
}

/** Every image that has a class, ascending. */
function allLabelled(labels: Int32Array): Uint32Array {
  return Uint32Array.from(labels.keys()).filter((index) => labels[index] !== noClass);
}

/**
 * The labelled images of a draw as a data set of their own, in the order of {@link labelledIndices}. The classes of given
 * labels take precedence over those of the data.
 */
export function labelledImages(context: LabelContext, draw: number): ImageDataset {
  const { train } = context.data;
  const labelled = subsetOf(train, labelledIndices(context, draw), {
    name: `${train.images.name}, labelled`,
  });
  const places = placesOf(context);
  if (!places) return labelled;
  const classNames = classNamesOf(context);
  return { ...labelled, labels: resolveLabels(train, { places, classNames }).classes, classNames };
}

/** The labelled images of each draw, with class and origin of each label: the content of a run's `labels.json`. */
export async function labelRecordOf(context: LabelContext): Promise<LabelRecord> {
  const { settings, data } = context;
  const { images, fileOf } = data.train;
  const given = placesOf(context);
  const classNames = classNamesOf(context);
  const draws: unknown[] = [];
  for (let draw = 0; draw < settings.draws; draw++) {
    const indices = labelledIndices(context, draw);
    const classes = labelsOf(labelledImages(context, draw));
    const hashes = await hashImages(images, indices);
    const entries = Array.from(indices, (index, i) => ({
      image: hashes[i],
      index,
      file: fileOf?.(index),
      label: classNames[classes[i] ?? noClass],
      by: saidBy(given?.[i]),
    }));
    draws.push({ draw, images: entries });
  }
  return labelRecordSchema.parse({ classNames, draws });
}

function saidBy(given: PlacedLabel | undefined): LabelSource {
  if (given === undefined) return 'drawn';
  return given.label === null ? 'own' : 'given';
}

import { hashImages } from '../data/image-hash.js';
import { selectImages } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import { type LoadedClassifier, loadClassifier } from '../model/load-classifier.js';
import { startProgress } from '../progress.js';
import { typicalPoints } from '../similarity/typical.js';
import { uncertainPoints } from '../similarity/uncertain.js';
import type { LabelNeeds } from '../store/label-needs.js';
import { readLabelRecord } from '../store/label-record.js';
import { type RecipeContext, randomFor } from './context.js';
import { readLabelNeeds } from './label-needs.js';
import { givenIndices, labelledIndices, withLocatedLabels } from './labels.js';
import { describeImages } from './pile-graph.js';
import { classifierName } from './run.js';

/**
 * What makes an image worth a label: it is like many others, or the classifier cannot tell its class.
 *
 * With few labels typical images teach more, with many the uncertain ones do (Hacohen et al. 2022, sections 2 and 4).
 */
export const strategies = ['typical', 'uncertain'] as const;
export type SuggestStrategy = (typeof strategies)[number];

/** Labels of each class from which on a classifier knows enough for its uncertainty to mean something. */
const labelsPerClassForDoubt = 10;

/** Unlabelled images that suggestions are chosen from, at most: what is typical of a random 10,000 is typical of all. */
const pileSize = 10_000;

export interface SuggestOptions {
  readonly count: number;
  /** Default: `uncertain` where a classifier learned from 10 labels a class and more, else `typical`. */
  readonly strategy?: SuggestStrategy | undefined;
  /** Images that are labelled already, by index; default: those that the run's classifier learned from. */
  readonly labelled?: Uint32Array | undefined;
}

/** An image that is worth a label. */
export interface Suggestion {
  /** Hash of its content, see `hashImage`. */
  readonly image: string;
  /** In the training set. */
  readonly index: number;
  /** `typical`: share of the pile that is like it, 0–1. */
  readonly share?: number;
  /** `uncertain`: its two most probable classes, and how probable the classifier thinks each of them. */
  readonly between?: readonly { readonly className: string; readonly probability: number }[];
}

export interface Suggestions {
  readonly strategy: SuggestStrategy;
  /** Images that have a label already. */
  readonly labelled: Uint32Array;
  /** The most useful first; fewer than asked for if no more are unlabelled. */
  readonly images: readonly Suggestion[];
  /** Which classes more labels would help most; undefined where nothing is known of it. */
  readonly needs: LabelNeeds | undefined;
}

/**
 * Chooses the images of the training set to label next. The labels of the data are never looked at; the same seed gives the same
 * images.
 *
 * Suggestions are not nearly all of the class that most of the pile is of: typical images come from as many groups as there are
 * labels, whatever the sizes of the groups, and uncertain ones are seldom of a class that the classifier knows well.
 * @throws QuarterturnError `checkpoint` if `uncertain` finds no classifier in the run; `data` if every image, or a copy of it,
 *   is labelled; `interrupted` if the signal is aborted
 */
export async function suggest(given: RecipeContext, options: SuggestOptions): Promise<Suggestions> {
  const context = await withLocatedLabels(given);
  const { data, emit, signal } = context;
  const labelled = options.labelled ?? (await labelledSoFar(context));
  const strategy = options.strategy ?? (await usualStrategy(context));
  const { pileIndices, hashOf } = await pileOf(context, labelled);
  if (pileIndices.length === labelled.length) {
    throw new QuarterturnError(
      'data',
      `${data.train.images.name}: expected images without a label. Received: none.`,
      { hint: 'All are labelled: there is nothing left to suggest.' },
    );
  }
  const rowOf = new Map(Array.from(pileIndices, (index, row) => [index, row]));
  const labelledRows = Uint32Array.from(labelled, (index) => rowOf.get(index)!);
  const suggestion = (row: number) => {
    const index = pileIndices[row]!;
    return { image: hashOf.get(index)!, index };
  };
  const random = randomFor(context, 'suggest', strategy);
  const { count } = options;
  const needs = await readLabelNeeds(context.store);
  const listening = { count, random, emit, signal };
  if (strategy === 'typical') {
    const features = await describeImages(context, pileIndices);
    const points = await typicalPoints(features, { ...listening, labelled: labelledRows });
    const images = points.map(({ row, clusterSize }) => ({
      ...suggestion(row),
      share: clusterSize / pileIndices.length,
    }));
    return { strategy, labelled, images, needs };
  }
  const classifier = await classifierOf(context);
  const pairs = await mostProbablePairs(context, classifier, pileIndices).finally(() => classifier.release());
  const features = await describeImages(context, pileIndices);
  const margins = pairs.map(([first, second]) => first.probability - second.probability);
  const taken = new Set(labelledRows);
  const rows = await uncertainPoints(features, margins, { ...listening, taken });
  const images = rows.map((row) => ({ ...suggestion(row), between: pairs[row]! }));
  return { strategy, labelled, images, needs };
}

/** `uncertain` where a classifier learned from enough labels to know what it does not know. */
async function usualStrategy({ store }: RecipeContext): Promise<SuggestStrategy> {
  if ((await store.readModel(classifierName)) === undefined) return 'typical';
  const { classNames = [], draws = [] } = (await readLabelRecord(store)) ?? {};
  const learned = draws[0]?.images.length ?? 0;
  return learned > 0 && learned >= labelsPerClassForDoubt * classNames.length ? 'uncertain' : 'typical';
}

/** The images that a run's classifier learned from; none if the run has only been pretrained. */
async function labelledSoFar(context: RecipeContext): Promise<Uint32Array> {
  const given = givenIndices(context);
  if (given) return given;
  const model = await context.store.readModel(classifierName);
  return model ? labelledIndices(context, 0) : new Uint32Array();
}

/** The images that suggestions are chosen from, and the labelled ones beside them. */
interface Pile {
  /** Into the training set, ascending. */
  readonly pileIndices: Uint32Array;
  /** Hash of each of these images, by its index. */
  readonly hashOf: ReadonlyMap<number, string>;
}

/**
 * All labelled images and as many of the others as there is time for. Of equal images one is enough: copies of a labelled
 * image, and of one that is in the pile already, are left out.
 */
async function pileOf(context: RecipeContext, labelled: Uint32Array): Promise<Pile> {
  const { images } = context.data.train;
  const isLabelled = new Set(labelled);
  const order = randomFor(context, 'suggest', 'pile').permutation(images.count);
  const others = order.filter((index) => !isLabelled.has(index)).slice(0, pileSize);
  const indices = [...labelled, ...others];
  const hashes = await hashImages(images, indices);
  const hashOf = new Map(indices.map((index, i) => [index, hashes[i] ?? '']));
  const firstOf = new Map<string, number>();
  for (const [index, hash] of hashOf) if (!firstOf.has(hash)) firstOf.set(hash, index);
  const chosen = indices.filter(
    (index) => isLabelled.has(index) || firstOf.get(hashOf.get(index) ?? '') === index,
  );
  return { pileIndices: Uint32Array.from(chosen).sort(), hashOf };
}

async function classifierOf({ store, runtime }: RecipeContext): Promise<LoadedClassifier> {
  const bytes = await store.readModel(classifierName);
  if (bytes) return loadClassifier(`${store.name}, classifier`, bytes, { runtime });
  throw new QuarterturnError('checkpoint', `${store.name}: expected a classifier. Received: none.`, {
    hint: 'Fine-tune first, or use the strategy typical, which needs none.',
  });
}

interface ClassProbability {
  readonly className: string;
  readonly probability: number;
}
type ClassPair = readonly [ClassProbability, ClassProbability];

/** The two most probable classes of each image. */
async function mostProbablePairs(
  context: RecipeContext,
  classifier: LoadedClassifier,
  indices: Uint32Array,
): Promise<ClassPair[]> {
  const { images } = context.data.train;
  const progress = startProgress(context, 'doubts of the classifier', indices.length);
  const [pairs, step] = [[] as ClassPair[], 1024];
  for (let from = 0; from < indices.length; from += step) {
    const part = selectImages(images, indices.subarray(from, from + step));
    const probabilities = await classifier.classify(part);
    for (let i = 0; i < part.count; i++) {
      pairs.push(mostProbablePair(probabilities, i, classifier.classNames));
    }
    await progress(from + part.count);
  }
  return pairs;
}

/** @param probabilities float32 [images · classNames.length] */
function mostProbablePair(
  probabilities: Float32Array,
  image: number,
  classNames: readonly string[],
): ClassPair {
  const nobody = { className: '', probability: 0 };
  const [first = nobody, second = nobody] = classNames
    .map((className, k) => ({
      className,
      probability: probabilities[image * classNames.length + k] ?? 0,
    }))
    .sort((a, b) => b.probability - a.probability);
  return [first, second];
}

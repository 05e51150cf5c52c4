import { hashImages } from '../data/image-hash.js';
import { selectImages } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import { type LoadedClassifier, loadClassifier } from '../model/load-classifier.js';
import { passProgress } from '../pass.js';
import { typicalPoints } from '../similarity/typical.js';
import { uncertainPoints } from '../similarity/uncertain.js';
import { type RecipeContext, randomFor } from './context.js';
import { givenIndices, labelledIndices, withLocatedLabels } from './labels.js';
import { shapesOf } from './pile-graph.js';
import { classifierName } from './run.js';

/**
 * What makes an image worth a label: being like many others, or being one that the classifier cannot tell.
 *
 * With few labels typical images teach more, with many the uncertain ones do (Hacohen et al. 2022, sections 2 and 4).
 */
export const strategies = ['typical', 'uncertain'] as const;
export type Strategy = (typeof strategies)[number];

/** From this many labels a class on, a classifier knows enough for its doubts to mean something. */
const labelsPerClassForDoubt = 10;

/** Unlabelled images looked at, at most: what is typical of a random 10,000 is typical of the pile. */
const pileSize = 10_000;

export interface SuggestOptions {
  readonly count: number;
  /** Default: `uncertain` where a classifier learned from 10 labels a class and more, else `typical`. */
  readonly strategy?: Strategy | undefined;
  /** Images that have a label already; default: those that the run's classifier learned from. */
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
  /** `uncertain`: the two classes that it could be, and how probable each is to the classifier. */
  readonly between?: readonly { readonly className: string; readonly probability: number }[];
}

export interface Suggestions {
  readonly strategy: Strategy;
  /** Images that have a label already. */
  readonly labelled: Uint32Array;
  /** The most useful first; fewer than asked for where fewer are unlabelled. */
  readonly images: readonly Suggestion[];
}

/**
 * Which images of the training set to label next. Labels are never looked at; the same seed gives the same images.
 * @throws QuarterturnError `checkpoint` where the run has no classifier, for `uncertain`; `data` where every image is labelled
 */
export async function suggest(given: RecipeContext, options: SuggestOptions): Promise<Suggestions> {
  const context = await withLocatedLabels(given);
  const { data, store, emit, signal } = context;
  const labelled = options.labelled ?? (await labelledSoFar(context));
  const enough = labelled.length >= labelsPerClassForDoubt * data.train.classNames.length;
  const hasClassifier = (await store.readModel(classifierName)) !== undefined;
  if (labelled.length >= data.train.images.count) {
    throw new QuarterturnError(
      'data',
      `${data.train.images.name}: expected images without a label. Received: none.`,
      {
        hint: 'All are labelled: there is nothing left to suggest.',
      },
    );
  }
  const strategy = options.strategy ?? (hasClassifier && enough ? 'uncertain' : 'typical');
  const pile = pileOf(context, labelled);
  const random = randomFor(context, 'suggest', strategy);
  const rowOf = new Map(Array.from(pile, (index, row) => [index, row]));
  const taken = Uint32Array.from(labelled, (index) => rowOf.get(index)!);
  if (strategy === 'typical') {
    const features = await shapesOf(context, pile);
    const picks = await typicalPoints(features, {
      count: options.count,
      labelled: taken,
      random,
      emit,
      signal,
    });
    const images = picks.map((pick) => ({ index: pile[pick.row]!, share: pick.clusterSize / pile.length }));
    return { strategy, labelled, images: await named(context, images, labelled) };
  }
  const classifier = await classifierOf(context);
  const doubts = await doubtsOf(context, classifier, pile).finally(() => classifier.release());
  const features = await shapesOf(context, pile);
  const margins = doubts.map(([first, second]) => first.probability - second.probability);
  const rows = await uncertainPoints(features, margins, {
    count: options.count,
    taken: new Set(taken),
    random,
    emit,
    signal,
  });
  const images = rows.map((row) => ({ index: pile[row]!, between: doubts[row]! }));
  return { strategy, labelled, images: await named(context, images, labelled) };
}

/** Suggestions with the hashes of their images; none of an image that is labelled already or suggested before. */
async function named(
  { data }: RecipeContext,
  suggestions: readonly Omit<Suggestion, 'image'>[],
  labelled: Uint32Array,
): Promise<Suggestion[]> {
  const images = data.train.images;
  const known = new Set(await hashImages(images, labelled));
  const hashes = await hashImages(
    images,
    suggestions.map(({ index }) => index),
  );
  return hashes.flatMap((image, i) => {
    const suggestion = suggestions[i];
    if (suggestion === undefined || known.has(image)) return [];
    known.add(image);
    return [{ image, ...suggestion }];
  });
}

/** The images that a run's classifier learned from; none where it has only looked at turned images. */
async function labelledSoFar(context: RecipeContext): Promise<Uint32Array> {
  const given = givenIndices(context);
  if (given) return given;
  const model = await context.store.readModel(classifierName);
  return model ? labelledIndices(context, 0) : new Uint32Array();
}

/** All labelled images and as many of the others as there is time for, ascending. */
function pileOf(context: RecipeContext, labelled: Uint32Array): Uint32Array {
  const { count } = context.data.train.images;
  const isLabelled = new Set(labelled);
  const order = randomFor(context, 'suggest', 'pile').permutation(count);
  const others = order.filter((index) => !isLabelled.has(index)).slice(0, pileSize);
  return Uint32Array.from([...labelled, ...others]).sort();
}

async function classifierOf({ store, runtime }: RecipeContext): Promise<LoadedClassifier> {
  const bytes = await store.readModel(classifierName);
  if (bytes) return loadClassifier(`${store.name}, classifier`, bytes, { runtime });
  throw new QuarterturnError('checkpoint', `${store.name}: expected a classifier. Received: none.`, {
    hint: 'Fine-tune first, or use the strategy typical, which needs none.',
  });
}

type Doubt = readonly [Guess, Guess];
type Guess = { readonly className: string; readonly probability: number };

/** The two most probable classes of each image. */
async function doubtsOf(
  context: RecipeContext,
  classifier: LoadedClassifier,
  pile: Uint32Array,
): Promise<Doubt[]> {
  const { images } = context.data.train;
  const progress = passProgress(context, 'doubts of the classifier', pile.length);
  const [doubts, step] = [[] as Doubt[], 1024];
  for (let from = 0; from < pile.length; from += step) {
    const part = selectImages(images, pile.subarray(from, from + step));
    const probabilities = await classifier.classify(part);
    for (let i = 0; i < part.count; i++) doubts.push(topTwo(probabilities, i, classifier.classNames));
    await progress(from + part.count);
  }
  return doubts;
}

function topTwo(probabilities: Float32Array, image: number, classNames: readonly string[]): Doubt {
  const guesses = classNames.map((className, k) => ({
    className,
    probability: probabilities[image * classNames.length + k]!,
  }));
  const [first, second = { className: '', probability: 0 }] = guesses.sort(
    (a, b) => b.probability - a.probability,
  );
  return [first!, second];
}

import { readRange } from '../../data/image-source.js';
import { pictureTraits } from '../../data/picture-traits.js';
import { type Abstention, fitAbstention } from '../../model/abstention.js';
import { distancesFromOthers, fitLikeness } from '../../model/likeness.js';
import { confidencesOf, probabilitiesAt } from '../../model/temperature.js';
import { inChunks, type ProgressOptions, startProgress } from '../../progress.js';
import { type FoldAnswers, pooledAnswers } from '../../store/fold-answers.js';
import { type LabelContext, labelledImages } from '../labels.js';

export interface AbstentionOptions {
  readonly temperature: number | undefined;
  readonly pile: ArrayLike<number> | undefined;
}

/** Images that are read at a time. */
const imagesAtATime = 128;

/**
 * When the classifier that draw 0 keeps is unsure: by what it says of the pile, and by how far the images with a label lie from each
 * other. How the networks that learned without a fold classified the labels held back says what that costs. See `fitAbstention`.
 *
 * @param options.temperature that the classifier's logits are divided by
 * @param options.pile calibrated probability of the likeliest class of images of the pile; default: none
 * @returns undefined if no network answered
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function abstentionOf(
  context: LabelContext & ProgressOptions,
  answers: readonly FoldAnswers[],
  { temperature = 1, pile = [] }: AbstentionOptions,
): Promise<Abstention | undefined> {
  const { logits, targets, positions } = pooledAnswers(answers);
  if (positions.length === 0) return undefined;
  const traits = await traitsOfLabelled(context);
  const distances = distancesFromOthers(traits);
  const classCount = logits.length / targets.length;
  const probabilities = probabilitiesAt(logits, classCount, temperature);
  const confidences = confidencesOf(probabilities, classCount);
  const known = positions.map((position, i) => ({
    confidence: confidences[i] ?? 0,
    distance: distances[position] ?? 0,
  }));
  return fitAbstention(known, { pile, likeness: fitLikeness(traits) });
}

async function traitsOfLabelled(context: LabelContext & ProgressOptions): Promise<readonly Float64Array[]> {
  const { images } = labelledImages(context, 0);
  const size = images.height * images.width * images.channels;
  const traits: Float64Array[] = [];
  const progress = startProgress(context, 'what images with a label are like', images.count);
  const look = async (from: number, to: number): Promise<void> => {
    const { data } = await readRange(images, from, to);
    for (let i = 0; i < to - from; i++) {
      traits.push(pictureTraits(data.subarray(i * size, (i + 1) * size), images));
    }
  };
  await inChunks(images.count, imagesAtATime, look, progress);
  return traits;
}

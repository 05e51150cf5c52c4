import { batchesPerEpoch, epochOrder, groupedOrder, rotationTargets } from '../../data/batches.js';
import { type ImageSource, selectImages } from '../../data/image-source.js';
import { copiesOf, requireSquare, rotatedCopies, turnCount, turnsOfCopy } from '../../data/rotation.js';
import { splitByCopy, splitByImage, splitImages } from '../../data/splits.js';
import { remainingIndices } from '../../labels/label-selection.js';
import type { Network } from '../../nn/network.js';
import type { Tensors } from '../../tensor/tensor.js';
import type { PlannedBatch } from '../../train/batches-ahead.js';
import { type Evaluation, type EvaluationSet, evaluate } from '../../train/evaluate.js';
import { trainStage } from '../../train/loop.js';
import { weightsOf } from '../../train/state.js';
import { freshWeights } from '../../train/train-step.js';
import { networkFor, type RecipeContext, randomFor } from '../context.js';
import { hasLabels, type LabelContext, labelledIndices } from '../labels.js';
import { optimizerOf, scheduleOf } from '../settings.js';

export const pretrainName = 'pretrain';

/** Rotated images and the network's predictions for them. */
export interface RotationEvaluation extends Evaluation {
  /** The images as they were turned, in the order of the predictions. */
  readonly images: ImageSource;
}

export interface Pretrained {
  readonly network: Network;
  readonly weights: Tensors;
  readonly val: RotationEvaluation;
  /** Absent if the data has no test set. */
  readonly test: RotationEvaluation | undefined;
  readonly imagesPerSecond: number;
}

/**
 * The images that are turned: those outside draw 0's labelled ones, or all images if most have a label. Labels are not looked at
 * either way.
 */
export function imagesToTurn(context: LabelContext): Uint32Array {
  const { count } = context.data.train.images;
  const labelled = hasLabels(context) ? labelledIndices(context, 0) : new Uint32Array();
  return remainingIndices(count, isMostlyLabelled(context) ? [] : labelled);
}

/** Whether so few images have no label that all are turned. */
export function isMostlyLabelled(context: LabelContext): boolean {
  const { count } = context.data.train.images;
  return hasLabels(context) && 2 * labelledIndices(context, 0).length > count;
}

/**
 * Trains the pretext task: the network tells by which of four quarter turns an image was rotated (Gidaris et al. 2018).
 *
 * Copies of each image, turned by 0–3 quarter turns, are the classes (see {@link imagesToTurn}). Labels are never used, so one pretraining serves every label draw.
 */
export async function pretrain(context: RecipeContext): Promise<Pretrained> {
  const { settings, data } = context;
  const {
    batchSize,
    epochs,
    grouped,
    stepsPerEpoch,
    split: unit,
    valFraction,
    batchNormMomentum,
  } = settings.pretrain;
  const all = data.train.images;
  requireSquare(all);
  const unlabelled = selectImages(all, imagesToTurn(context), { name: `${all.name}, unlabelled` });
  const split = (unit === 'copy' ? splitByCopy : splitByImage)(
    unlabelled.count,
    valFraction,
    randomFor(context, 'split'),
  );
  const images = grouped
    ? splitImages(unlabelled.count, valFraction, randomFor(context, 'split')).train
    : undefined;
  const steps = stepsPerEpoch ?? batchesPerEpoch(split.train.length, batchSize);
  const network = networkFor(settings.network, all, turnCount);

  const order = (epoch: number): readonly Uint32Array[] => {
    const random = randomFor(context, pretrainName, 'order', epoch);
    const pass = () =>
      images
        ? groupedOrder(images, batchSize / turnCount, random)
        : epochOrder(split.train, batchSize, random);
    // A small pile of images is gone through more than once in an epoch.
    let batches = pass();
    while (batches.length < steps) batches = batches.concat(pass());
    return batches.slice(0, steps);
  };
  const valSet = rotationSet('rotations of validation images', unlabelled, split.val);
  const evaluateOn = async (set: EvaluationSet, weights: Tensors): Promise<RotationEvaluation> => ({
    ...(await evaluate(network, weights, set, context)),
    images: set.images,
  });

  // The last epoch's validation is that of the final weights: no need to do it twice.
  let lastVal: RotationEvaluation | undefined;
  const { state, trainMs, imagesTrained } = await trainStage(
    {
      stage: pretrainName,
      draw: 0,
      title: 'Pretraining on rotations',
      step: {
        network,
        optimizer: optimizerOf(settings.pretrain),
        batchSize,
        frozenBlocks: 0,
        batch: 'images',
        batchNormMomentum,
      },
      epochs,
      stepsPerEpoch: steps,
      schedule: scheduleOf(settings.pretrain, epochs * steps),
      weights: freshWeights(network, randomFor(context, pretrainName, 'weights')),
      order,
      images: rotatedCopies(unlabelled),
      batch: plannedRotations,
      validate: async (state) => {
        lastVal = await evaluateOn(valSet, weightsOf(state));
        return { val: lastVal.metrics };
      },
    },
    context,
  );

  const weights = weightsOf(state);
  const evaluateTurned = (test: ImageSource): Promise<RotationEvaluation> => {
    const copies = copiesOf(Uint32Array.from({ length: test.count }, (_, i) => i));
    return evaluateOn(rotationSet('rotations of test images', test, copies), weights);
  };
  return {
    network,
    weights,
    val: lastVal ?? (await evaluateOn(valSet, weights)),
    test: data.test && (await evaluateTurned(data.test.images)),
    imagesPerSecond: (1000 * imagesTrained) / trainMs,
  };
}

/**
 * A batch of rotated copies with their quarter turns, 0 … 3, as targets.
 * @param copies numbers `4 * image + turns`, see data/rotation.ts
 */
export function plannedRotations(copies: Uint32Array): PlannedBatch {
  return {
    images: [{ indices: copies }],
    targets: rotationTargets(copies),
  };
}

function rotationSet(title: string, images: ImageSource, copies: Uint32Array): EvaluationSet {
  return {
    title,
    images: selectImages(rotatedCopies(images), copies),
    targets: Int32Array.from(copies, turnsOfCopy),
  };
}

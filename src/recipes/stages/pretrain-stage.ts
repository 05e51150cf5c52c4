import { batchesPerEpoch } from '../../data/batches.js';
import { requireSquare, rotatedCopies, turnCount } from '../../data/rotation.js';
import { QuarterturnError } from '../../errors.js';
import { classifyMs, trainingMs } from './cost.js';
import { imagesToTurn, isMostlyLabelled, plannedRotations, pretrain, pretrainName } from './pretrain.js';
import type { ImageCounts } from './speeds.js';
import type { Stage } from './stage.js';

/** The pretext task on the pile: see {@link pretrain}. */
export const pretrainStage: Stage = {
  name: pretrainName,
  version: 1,
  title: 'Pretraining on rotations',
  activity: 'pretraining',
  figures: ['pretext'],
  isShared: true,
  settingsOf: ({ pretrain }) => pretrain,
  // Which images are turned is told by which have no label, unless all are.
  dependsOn: (context) =>
    isMostlyLabelled(context) ? [context.settings.pretrain, 'all images'] : context.settings.pretrain,
  isAskedFor: ({ finetune }) => finetune.from === 'backbone',
  needs: () => [],

  assertFits(context) {
    const { images } = context.data.train;
    requireSquare(images);
    const unlabelled = imagesToTurn(context).length;
    const val = Math.round(unlabelled * context.settings.pretrain.valFraction);
    if (val >= 1 && val < unlabelled) return;
    throw new QuarterturnError(
      'data',
      `${images.name}: expected enough images to train and to validate on. Received: ${unlabelled}.`,
      { hint: 'Pretraining is made for a pile of images: add some, or label fewer of them.' },
    );
  },

  async train({ context }) {
    const pretrained = await pretrain(context);
    const { val, test } = pretrained;
    return {
      figures: { pretext: { val: val.metrics, test: test?.metrics ?? null } },
      tested: [],
      pretrained,
    };
  },

  scaling: {
    isEpochGiven: false,
    resize: (settings, { epochs, stepsPerEpoch }) => ({
      ...settings,
      pretrain: { ...settings.pretrain, epochs, stepsPerEpoch },
    }),
  },
  stepsOf({ pretrain }, { train, labelled }) {
    const { epochs, stepsPerEpoch, valFraction, batchSize } = pretrain;
    const copies = turnedOf({ train, labelled }) * turnCount * (1 - valFraction);
    return epochs * (stepsPerEpoch ?? batchesPerEpoch(Math.round(copies), batchSize));
  },
  stepMs({ settings, data }, stopwatch) {
    const { images } = data.train;
    const count = Math.min(settings.pretrain.batchSize, images.count * turnCount);
    const copies = Uint32Array.from({ length: count }, (_, i) => i);
    return stopwatch.stepMs('train', {
      images: rotatedCopies(images),
      batch: () => plannedRotations(copies),
    });
  },
  drawMs(work) {
    const { settings, speeds } = work;
    const { stepsPerEpoch, valFraction } = settings.pretrain;
    const { train, labelled, test } = speeds.images;
    const val = Math.round(turnedOf({ train, labelled }) * valFraction) * turnCount;
    return (
      trainingMs(work, pretrainStage, { graphs: stepsPerEpoch === null ? 2 : 1, savesPerEpoch: 1 }) +
      work.epochs(pretrainStage) * classifyMs(speeds, val) +
      classifyMs(speeds, test * turnCount)
    );
  },
};

/** How many images are turned. */
function turnedOf({ train, labelled }: Pick<ImageCounts, 'train' | 'labelled'>): number {
  return 2 * labelled > train ? train : train - labelled;
}

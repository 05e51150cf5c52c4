import type { ImageDataset } from '../../src/data/dataset.js';
import { imagesInMemory } from '../../src/data/image-source.js';
import { presets } from '../../src/recipes/presets.js';
import type { RunSettings } from '../../src/recipes/settings.js';

/** Two kinds of small pictures that a few steps can learn: a bright corner, a bright edge. */
export function tinyPictures(name: string, count: number): ImageDataset {
  const [height, width] = [12, 12];
  const pixels = new Uint8Array(count * height * width);
  const labels = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    const label = n % 2;
    labels[n] = label;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const bright = label === 0 ? y < 5 && x < 5 : y < 4;
        pixels[(n * height + y) * width + x] = bright
          ? 200 + ((n * 31 + x * 7 + y) % 50)
          : (n * 17 + x + y * 3) % 40;
      }
    }
  }
  const images = imagesInMemory({ name, pixels, height, width, channels: 1 });
  return { images, labels, classNames: ['corner', 'edge'] };
}

/** The quick recipe in so few steps of a narrow network as learn something. */
export const tinySettings: RunSettings = {
  ...presets.quick,
  draws: 2,
  labelsPerClass: 4,
  network: { backbone: 'compact', width: 1 / 16, batchNormEpsilon: 1e-3 },
  pretrain: { ...presets.quick.pretrain, epochs: 3, batchSize: 16, stepsPerEpoch: 20, valFraction: 0.2 },
  finetune: {
    ...presets.quick.finetune,
    epochs: 10,
    batchSize: 4,
    schedule: { kind: 'oneCycle', peak: 0.1 },
  },
  selfTrain: {
    ...presets.quick.selfTrain!,
    start: 'scratch',
    correctEvery: 1,
    epochs: 3,
    stepsPerEpoch: 8,
    labelledPerStep: 8,
    pairsPerStep: 12,
    averageDecay: 0.9,
  },
  baseline: { ...presets.quick.baseline, epochs: 2, batchSize: 4 },
};

const { pretrain, finetune, baseline, selfTrain } = tinySettings;

/** The same, so few steps that a run is little more than its start: for tests of what a run is given and leaves. */
export const tiniestSettings: RunSettings = {
  ...tinySettings,
  draws: 1,
  pretrain: { ...pretrain, epochs: 2, stepsPerEpoch: 10 },
  finetune: { ...finetune, epochs: 4, trialEpochs: 2 },
  baseline: { ...baseline, epochs: 1 },
  selfTrain: selfTrain && { ...selfTrain, epochs: 1, stepsPerEpoch: 4 },
};

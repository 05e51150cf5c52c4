import type { DataSource, ImageDataset } from '../data/dataset.js';
import { createNetwork, type Network } from '../nn/network.js';
import { Random } from '../random/random.js';
import type { RunEventListener } from '../store/run-event.js';
import type { TrainContext } from '../train/loop.js';
import type { RunSettings } from './settings.js';

/** What every recipe gets: the settings, the data, and where to run and report. */
export interface RecipeContext extends TrainContext {
  /** Told what happens while it happens. */
  readonly emit?: RunEventListener | undefined;
  readonly settings: RunSettings;
  readonly data: DataSource;
}

/** The stream of random numbers for one purpose; all are split off the one seed of the settings. */
export function randomFor(
  { settings }: Pick<RecipeContext, 'settings'>,
  ...purpose: (string | number)[]
): Random {
  return Random.seeded(settings.seed).split(...purpose);
}

/** The network that a run trains, sized for its images. */
export function networkFor(
  { backbone, width, batchNormEpsilon }: RunSettings['network'],
  images: Pick<ImageDataset, 'height' | 'width' | 'channels'>,
  classes: number,
  batchNormMomentum: number,
): Network {
  return createNetwork(
    {
      backbone,
      width,
      height: images.height,
      imageWidth: images.width,
      channels: images.channels,
      batchNorm: { momentum: batchNormMomentum, epsilon: batchNormEpsilon },
    },
    classes,
  );
}

import type { DataSource, ImageDataset } from '../data/dataset.js';
import type { LocatedLabels } from '../labels/locate-labels.js';
import { createNetwork, type Network } from '../nn/network.js';
import { Random } from '../random/random.js';
import type { TrainContext } from '../train/loop.js';
import type { RunSettings } from './settings.js';

/** What every recipe gets: the settings, the data, and where to run and report. */
export interface RecipeContext extends TrainContext {
  readonly settings: RunSettings;
  readonly data: DataSource;
  /**
   * Where the images of the settings' labels lie in the data: `withLocatedLabels` finds them, which `run` and the like do
   * by themselves. Of no effect where the settings have no labels, or others.
   */
  readonly labels?: LocatedLabels | undefined;
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

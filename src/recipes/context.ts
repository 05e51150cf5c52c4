import type { DataSource } from '../data/dataset.js';
import type { FrozenEncoder } from '../features/onnx-encoder.js';
import type { LocatedLabels } from '../labels/locate-labels.js';
import { createNetwork, type Network } from '../nn/network.js';
import { Random } from '../random/random.js';
import type { RunEventListener } from '../store/run-event.js';
import type { ImageSize } from '../tensor/image-size.js';
import type { TrainContext } from '../train/loop.js';
import type { RunSettings } from './settings.js';

/** Context of every recipe: settings, data, runtime, store and listener. */
export interface RecipeContext extends TrainContext {
  /** Receives events while they happen. */
  readonly emit?: RunEventListener | undefined;
  readonly settings: RunSettings;
  readonly data: DataSource;
  /** The frozen network that the settings name, opened. Default: images are described by oriented gradients. */
  readonly encoder?: FrozenEncoder | undefined;
  /**
   * Indices of the labelled images in the data. `withLocatedLabels` finds them; `run` and the like call it by themselves. Ignored if the settings have no labels, or others.
   */
  readonly labels?: LocatedLabels | undefined;
}

/** The same context with no listener: nothing is emitted. */
export function silentContext<C extends { readonly emit?: unknown }>(
  context: C,
): C & { readonly emit: undefined } {
  return { ...context, emit: undefined };
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
  images: ImageSize,
  classes: number,
): Network {
  return createNetwork(
    {
      backbone,
      width,
      image: { height: images.height, width: images.width, channels: images.channels },
      batchNormEpsilon,
    },
    classes,
  );
}

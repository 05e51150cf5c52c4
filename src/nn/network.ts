import { QuarterturnError } from '../errors.js';
import { input, type Value } from '../graph/index.js';
import { at } from '../tensor/elements.js';
import type { ImageSize } from '../tensor/image-size.js';
import type { Backbone, BackboneSettings } from './backbones/backbone.js';
import * as registry from './backbones/registry.js';
import { type Bindings, type Block, type NormMode, type ParamSpec, specsOf } from './block.js';
import { imagesToMaps, type Normalisation } from './images.js';
import { dense } from './layers.js';

export type { BackboneSettings } from './backbones/backbone.js';

/** Name of a backbone in the settings. */
export type BackboneName = (typeof registry)[keyof typeof registry]['name'];

/** The names of all backbones. */
export const backboneNames: readonly BackboneName[] = Object.values(registry).map(({ name }) => name);

export interface NetworkSettings extends BackboneSettings {
  readonly backbone: BackboneName;
  /** Size of the images that it takes. */
  readonly image: ImageSize;
  /** What becomes of pixels before the first block; default: they are divided by 255. */
  readonly normalisation?: Normalisation | undefined;
}

/** Backbone and head: images [N, C, H, W], normalised → logits [N, classes]. */
export interface Network {
  /** What people call its backbone. */
  readonly title: string;
  /** What becomes of images before the first block. */
  readonly settings: Pick<NetworkSettings, 'image' | 'normalisation'>;
  readonly classes: number;
  readonly blocks: readonly Block[];
  readonly head: Block;
  /** All tensors, backbone first. */
  readonly specs: readonly ParamSpec[];
}

/** Fewest pixels a side: two halvings must leave a map that a 3×3 kernel can see. */
const minSize = 8;

/**
 * A backbone that can learn from rotations, with a dense head for `classes` classes.
 *
 * @example
 * const image = { height: 28, width: 28, channels: 1 };
 * const network = createNetwork({ backbone: 'compact', width: 0.25, image }, 10);
 * @throws QuarterturnError `usage` for an unknown backbone, and for a width or an image size that leaves nothing to
 *   learn from
 */
export function createNetwork(settings: NetworkSettings, classes: number): Network {
  const { width, image } = settings;
  const backbone = backboneNamed(settings.backbone);
  if (!(width > 0 && width <= 8)) {
    throw new QuarterturnError('usage', `width: expected a number in 0 < width ≤ 8. Received: ${width}.`, {
      hint: 'Work grows with its square: 0.25 trains in minutes.',
    });
  }
  if (Math.min(image.height, image.width) < minSize) {
    throw new QuarterturnError(
      'usage',
      `images: expected at least ${minSize}×${minSize} pixels. Received: ${image.height}×${image.width}.`,
      {
        hint: 'Enlarge the images first.',
      },
    );
  }
  const blocks = backbone.build([image.channels, image.height, image.width], settings);
  const head = dense('head', at(at(blocks, blocks.length - 1).outputShape, 0), classes);
  return { title: backbone.title, settings, classes, blocks, head, specs: specsOf([...blocks, head]) };
}

function backboneNamed(name: BackboneName): Backbone {
  const found = Object.values(registry).find((backbone) => backbone.name === name);
  if (found) return found;
  const known = backboneNames.map((each) => JSON.stringify(each)).join(', ');
  throw new QuarterturnError(
    'usage',
    `backbone: expected one of ${known}. Received: ${JSON.stringify(name)}.`,
  );
}

/** An input of the graph `images`, uint8 [N, H, W, C], as the maps that the network's first block takes. */
export function imagesInput({ settings }: Pick<Network, 'settings'>, batchSize: number): Value {
  const { image, normalisation } = settings;
  const shape = [batchSize, image.height, image.width, image.channels];
  return imagesToMaps(input('images', 'uint8', shape), normalisation);
}

/**
 * Run blocks `from` … `to` (0-based, `to` excluded); frozen ones use their stored statistics.
 * @param frozen blocks 0 … frozen − 1 are frozen
 */
export function applyBlocks(
  network: Pick<Network, 'blocks'>,
  x: Value,
  bindings: Bindings,
  {
    from = 0,
    to = network.blocks.length,
    frozen,
    norm,
  }: {
    readonly from?: number;
    readonly to?: number;
    readonly frozen: number;
    readonly norm: NormMode;
  },
): Value {
  return network.blocks
    .slice(from, to)
    .reduce((y, block, i) => block.apply(y, bindings, from + i < frozen ? 'stored' : norm), x);
}

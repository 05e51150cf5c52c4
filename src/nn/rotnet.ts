import { QuarterturnError } from '../errors.js';
import {
  avgPool,
  maxPool,
  reduceMean,
  reshape,
  samePoolPads,
  scoped,
  transpose,
  type Value,
} from '../graph/index.js';
import { type BatchNormSettings, convUnit, dense } from './layers.js';
import {
  type Bindings,
  type Block,
  type LayerInfo,
  type NormMode,
  type ParamSpec,
  specsOf,
} from './network.js';

/** `rotnet`: the notebook's network; `compact`: fewer operations for the same accuracy on small images. */
export type BackboneName = 'rotnet' | 'compact';

export interface RotNetSettings {
  /** Default: `rotnet`. */
  readonly backbone?: BackboneName;
  /** Multiplies the number of channels of every layer; 1 is the notebook's network. */
  readonly width: number;
  /** Size of the images. */
  readonly height: number;
  readonly imageWidth: number;
  readonly channels: number;
  readonly batchNorm: BatchNormSettings;
}

/** Backbone and head: images [N, C, H, W] in 0–1 → logits [N, classes]. */
export interface Network {
  readonly settings: RotNetSettings;
  readonly classes: number;
  readonly blocks: readonly Block[];
  readonly head: Block;
  /** All tensors, backbone first. */
  readonly specs: readonly ParamSpec[];
}

type Pool = 'max' | 'average' | 'global';

interface BlockPlan {
  /** Kernel size and channels of each convolution. */
  readonly units: readonly (readonly [kernelSize: number, channels: number])[];
  /** What ends the block. */
  readonly pool: Pool;
}

interface Plan {
  /** Whether images are cut into patches first, whose pixels become channels. */
  readonly patches: boolean;
  readonly blocks: readonly BlockPlan[];
}

const plans: Readonly<Record<BackboneName, Plan>> = {
  /** A Network-in-Network of three blocks (Gidaris et al. 2018, section 3.1; Lin et al. 2014). */
  rotnet: {
    patches: false,
    blocks: [
      {
        units: [
          [5, 192],
          [1, 160],
          [1, 96],
        ],
        pool: 'max',
      },
      {
        units: [
          [5, 192],
          [1, 192],
          [1, 192],
        ],
        pool: 'average',
      },
      {
        units: [
          [3, 192],
          [1, 192],
          [1, 192],
        ],
        pool: 'global',
      },
    ],
  },
  /**
   * 3×3 convolutions on patches (Simonyan & Zisserman 2015, section 2.3, on the one; Dosovitskiy et al. 2021, section
   * 3.1, on the other). Most of RotNet's time goes into passes over full-size maps, of which there are none here: a step
   * takes half the time at the same width.
   */
  compact: {
    patches: true,
    blocks: [
      {
        units: [
          [3, 128],
          [3, 128],
          [3, 128],
        ],
        pool: 'max',
      },
      {
        units: [
          [3, 256],
          [3, 256],
        ],
        pool: 'max',
      },
      {
        units: [
          [3, 384],
          [3, 384],
        ],
        pool: 'global',
      },
    ],
  },
};

/** Patches leave maps of about this side: 14 for digits of 28×28, 16 for 32×32, 64×64 and more. */
const patchedSide = 14;

/** Side of the patches: the largest common divisor of both sides that leaves maps of at least the wanted side, or 1. */
function patchSize(height: number, width: number): number {
  for (let size = Math.floor(Math.min(height, width) / patchedSide); size > 1; size--) {
    if (height % size === 0 && width % size === 0) return size;
  }
  return 1;
}

/** Maps [N, C, H, W] → [N, C·p², H/p, W/p]: the pixels of each p×p patch as channels. */
function patchesToChannels(x: Value, size: number): Value {
  if (size === 1) return x;
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  const [rows, columns] = [h / size, w / size];
  const split = reshape(x, [n, c, rows, size, columns, size]);
  return reshape(transpose(split, [0, 1, 3, 5, 2, 4]), [n, c * size * size, rows, columns]);
}

/** Both pools: windows of 3×3 every 2, overlapping, as in the Network-in-Network that RotNet took over. */
const poolWindow = { kernel: [3, 3], strides: [2, 2] } as const;

/** Fewest pixels a side: two halvings must leave a map that a 3×3 kernel can see. */
const minSize = 8;

/**
 * A backbone that can learn from rotations, with a dense head for `classes` classes.
 *
 * At width 1 on 28×28×1 the backbone `rotnet` has 998,084 parameters with 4 classes, 994,884 of them trained.
 *
 * @throws QuarterturnError `usage` for a width or an image size that leaves nothing to learn from
 */
export function rotNet(settings: RotNetSettings, classes: number): Network {
  const { backbone = 'rotnet', width, height, imageWidth, channels } = settings;
  if (!(width > 0 && width <= 8)) {
    throw new QuarterturnError('usage', `width: expected a number in 0 < width ≤ 8. Received: ${width}.`, {
      hint: '1 is the notebook’s network, 0.25 trains in minutes.',
    });
  }
  if (Math.min(height, imageWidth) < minSize) {
    throw new QuarterturnError(
      'usage',
      `images: expected at least ${minSize}×${minSize} pixels. Received: ${height}×${imageWidth}.`,
      {
        hint: 'Enlarge the images first.',
      },
    );
  }
  const blocks: Block[] = [];
  const plan = plans[backbone];
  const patch = plan.patches ? patchSize(height, imageWidth) : 1;
  let shape: readonly [number, number, number] = [channels * patch ** 2, height / patch, imageWidth / patch];
  plan.blocks.forEach((blockPlan, index) => {
    const block = buildBlock(`block${index + 1}`, shape, blockPlan, settings);
    blocks.push(
      index === 0
        ? { ...block, apply: (x, ...rest) => block.apply(patchesToChannels(x, patch), ...rest) }
        : block,
    );
    shape = block.outputShape as [number, number, number];
  });
  const head = dense('head', blocks[blocks.length - 1]!.outputShape[0]!, classes);
  return { settings, classes, blocks, head, specs: specsOf([...blocks, head]) };
}

function buildBlock(
  name: string,
  [channels, height, width]: readonly [number, number, number],
  { units, pool }: BlockPlan,
  settings: RotNetSettings,
): Block {
  let inChannels = channels;
  const convUnits = units.map(([kernelSize, fullChannels], i) => {
    const outChannels = Math.max(1, Math.round(fullChannels * settings.width));
    const unit = convUnit({
      name: `${name}.conv${i + 1}`,
      kernelSize,
      inChannels,
      outChannels,
      height,
      width,
      batchNorm: settings.batchNorm,
    });
    inChannels = outChannels;
    return unit;
  });
  const end = poolLayer(`${name}.pool`, pool, inChannels, height, width);
  return {
    name,
    layers: [...convUnits.flatMap((unit) => unit.layers), end.layer],
    outputShape: end.outputShape,
    apply: (x, bindings, norm) => end.apply(convUnits.reduce((y, unit) => unit.apply(y, bindings, norm), x)),
  };
}

interface PoolLayer {
  readonly layer: LayerInfo;
  readonly outputShape: readonly number[];
  apply(x: Value): Value;
}

function poolLayer(name: string, pool: Pool, channels: number, height: number, width: number): PoolLayer {
  if (pool === 'global') {
    return {
      layer: { name, type: 'GlobalAveragePooling2D', outputShape: [channels], params: [] },
      outputShape: [channels],
      apply: (x) => scoped(name, () => reduceMean(x, [2, 3])),
    };
  }
  const { kernel, strides } = poolWindow;
  const attributes = { kernel, strides, pads: samePoolPads([height, width], kernel, strides) };
  const [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const type = pool === 'max' ? 'MaxPooling2D' : 'AveragePooling2D';
  return {
    layer: { name, type, outputShape: [h, w, channels], params: [] },
    outputShape: [channels, h, w],
    apply: (x) => scoped(name, () => (pool === 'max' ? maxPool(x, attributes) : avgPool(x, attributes))),
  };
}

/**
 * Run blocks `from` … `to` (0-based, `to` excluded); frozen ones use their stored statistics.
 * @param frozen blocks 0 … frozen − 1 are frozen
 */
export function applyBlocks(
  network: Network,
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

import { QuarterturnError } from '../errors.js';
import { avgPool, maxPool, reduceMean, samePoolPads, scoped, type Value } from '../graph/index.js';
import { type BatchNormSettings, convUnit, dense } from './layers.js';
import {
  type Bindings,
  type Block,
  type LayerInfo,
  type NormMode,
  type ParamSpec,
  specsOf,
} from './network.js';

export interface RotNetSettings {
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

/** Kernel size and channels of each convolution, block by block, and the pool that ends it. */
const plan = [
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
] as const;

/** Both pools: windows of 3×3 every 2, overlapping, as in the Network-in-Network that RotNet took over. */
const poolWindow = { kernel: [3, 3], strides: [2, 2] } as const;

/** Fewest pixels a side: two halvings must leave a map that a 3×3 kernel can see. */
const minSize = 8;

/**
 * The RotNet backbone, a Network-in-Network of three blocks (Gidaris et al. 2018, section 3.1; Lin et al. 2014), with a
 * dense head for `classes` classes.
 *
 * At width 1 on 28×28×1 it has 998,084 parameters with 4 classes, 994,884 of them trained.
 *
 * @throws QuarterturnError `usage` for a width or an image size that leaves nothing to learn from
 */
export function rotNet(settings: RotNetSettings, classes: number): Network {
  const { width, height, imageWidth, channels } = settings;
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
  let shape: readonly [number, number, number] = [channels, height, imageWidth];
  plan.forEach(({ units, pool }, index) => {
    const block = buildBlock(`block${index + 1}`, shape, units, pool, settings);
    blocks.push(block);
    shape = block.outputShape as [number, number, number];
  });
  const head = dense('head', blocks[blocks.length - 1]!.outputShape[0]!, classes);
  return { settings, classes, blocks, head, specs: specsOf([...blocks, head]) };
}

function buildBlock(
  name: string,
  [channels, height, width]: readonly [number, number, number],
  units: readonly (readonly [number, number])[],
  pool: (typeof plan)[number]['pool'],
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

function poolLayer(
  name: string,
  pool: (typeof plan)[number]['pool'],
  channels: number,
  height: number,
  width: number,
): PoolLayer {
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

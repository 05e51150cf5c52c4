import type { Value } from '../graph/index.js';
import type { Random } from '../random/random.js';
import type { Shape, Tensor } from '../tensor/tensor.js';
import { type Initializer, initialize } from './initializers.js';

/** A named tensor of a network. */
export interface ParamSpec {
  /** Path of the layer and the tensor: `block1.conv2.norm.scale`. */
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** `param`: trained by gradients. `buffer`: a running statistic. */
  readonly kind: 'param' | 'buffer';
}

/**
 * Source of BatchNorm's statistics: the `stored` ones (then the part is frozen), or the batch's own, of which the stored
 * ones are moving averages.
 */
export type NormMode = 'stored' | BatchStatistics;

export interface BatchStatistics {
  /**
   * Share of the old moving statistics kept at each step, 0–1: new = momentum·old + (1 − momentum)·batch. Keras's 0.99
   * needs hundreds of steps before the statistics are the network's own; see `reestimateStatistics`.
   */
  readonly momentum: number;
}

/** The values that a layer is built with, and what it leaves behind. */
export class Bindings {
  /** Running statistics after this step, by name. */
  readonly updates: Record<string, Value> = {};
  readonly #values: Readonly<Record<string, Value>>;

  constructor(values: Readonly<Record<string, Value>>) {
    this.#values = values;
  }

  get(name: string): Value {
    const value = this.#values[name];
    if (!value) throw new RangeError(`no value is bound to "${name}"`);
    return value;
  }

  /** Those of a part whose names begin with `prefix`, under the names that the part has by itself. */
  within(prefix: string): Bindings {
    const own = Object.entries(this.#values).filter(([name]) => name.startsWith(prefix));
    return new Bindings(Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value])));
  }
}

/** A row of a layer table before the counts: what `summary` prints. */
export interface LayerInfo {
  readonly name: string;
  /** Keras's name of the layer's type, which readers know: `Conv2D`. */
  readonly type: string;
  /** Without the batch axis, H×W×C. */
  readonly outputShape: Shape;
  readonly params: readonly ParamSpec[];
}

/** Shape of maps without the batch axis. */
export type MapShape = readonly [channels: number, height: number, width: number];

/** A part of a network: a layer, a few of them, or all that is trained or frozen as a whole. */
export interface Block {
  readonly name: string;
  readonly layers: readonly LayerInfo[];
  /** Shape of its output without the batch axis: [C, H, W], or [C] after a global pool. */
  readonly outputShape: Shape;
  apply(x: Value, bindings: Bindings, norm: NormMode): Value;
}

/** Builds a block for the maps that come in. */
export type BlockBuilder = (input: MapShape) => Block;

/** Blocks one after another, each built for the maps that the one before it gives. */
export function buildChain(input: MapShape, builders: readonly BlockBuilder[]): Block[] {
  const blocks: Block[] = [];
  for (const build of builders) {
    const last = blocks.at(-1);
    blocks.push(build(last ? mapsOf(last) : input));
  }
  return blocks;
}

/** Parts one after another, as one block. */
export function sequential(name: string, parts: readonly BlockBuilder[]): BlockBuilder {
  return (input) => {
    const blocks = buildChain(input, parts);
    return {
      name,
      layers: blocks.flatMap(({ layers }) => layers),
      outputShape: blocks.at(-1)?.outputShape ?? input,
      apply: (x, bindings, norm) => blocks.reduce((y, block) => block.apply(y, bindings, norm), x),
    };
  };
}

function mapsOf({ name, outputShape }: Block): MapShape {
  const [channels, height, width] = outputShape;
  if (channels !== undefined && height !== undefined && width !== undefined) return [channels, height, width];
  throw new RangeError(`${name} gives [${outputShape.join(', ')}] and no maps for another block`);
}

/** Tensors that a set of layers has. */
export function specsOf(blocks: readonly Pick<Block, 'layers'>[]): ParamSpec[] {
  return blocks.flatMap((block) => block.layers.flatMap((layer) => layer.params));
}

/** Starting values for `specs`; each parameter draws from `random.split(name)`. */
export function initialTensors(
  specs: readonly ParamSpec[],
  random: Random,
): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    specs.map(({ name, shape, initializer }) => [name, initialize(initializer, shape, random.split(name))]),
  );
}

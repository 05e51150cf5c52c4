import { describeType, type Graph, type Node, type NodeOf, type One, type Value } from '../graph/graph.js';
import type { DeviceName } from '../runtime/runtime.js';
import { at, fourAxes } from '../tensor/elements.js';
import { type Shape, sameShape } from '../tensor/tensor.js';
import type { Emitter, Handle } from './emitter.js';

/**
 * What a graph is lowered for: a device, or `anywhere` for files that leave the house, of operators that other libraries
 * read as well.
 */
export type Target = DeviceName | 'anywhere';

/**
 * How a value lies in memory.
 *
 * `channelMajor` stores a map [N, C, H, W] with its channels outermost: then a 1×1 convolution and both its gradients
 * are plain matrix products over [C, H·W·N], BatchNorm's sums are sums of contiguous rows, and a k×k convolution is
 * ONNX's 3-D convolution whose kernel has size 1 along the batch. Everything else is `plain`, row-major as its shape
 * says. Values of more axes, which images pass through on their way to a convolution, are channel-major with the batch
 * innermost behind all their other axes.
 */
export type Layout = 'plain' | 'channelMajor';

/**
 * Order of the axes of a channel-major map, as indices into [N, C, H, W].
 *
 * On the CPU [C, H, W, N]: with the batch innermost, im2col and shifted copies move long runs of floats whatever the
 * size of the maps (5×5 on 14×14 maps 1.15 times, 3×3 on 7×7 maps 1.25 times as fast as with [C, N, H, W]). The WebGPU
 * provider has no 3-D pooling, so there maps stay whole: [C, N, H, W].
 */
const batchInnermost = [1, 2, 3, 0] as const;
const mapsInnermost = [1, 0, 2, 3] as const;

/** Ops that only a training step holds. */
const backwardOps: ReadonlySet<string> = new Set([
  'convWeightGrad',
  'convInputGrad',
  'maxPoolGrad',
  'avgPoolGrad',
  'batchNormTrain',
  'batchNormGrad',
  'reluGrad',
]);

/** Ops that images pass through on their way to the first convolution, and those that have them there. */
const preparingOps: ReadonlySet<string> = new Set(['add', 'mul', 'reshape', 'transpose']);
const convolvingOps: ReadonlySet<string> = new Set(['conv', 'convWeightGrad']);

/** Emits the operators of one node, of an op with these attributes, inputs and outputs, and records where they are. */
export type LoweringRule<
  A extends object = object,
  I extends readonly Value[] = One,
  O extends readonly Value[] = One,
> = (lowering: Lowering, node: NodeOf<A, I, O>) => void;

/** A map as gain ∘ rows, both by channel: whoever multiplies it by a matrix can scale that instead. */
export interface ScaledRows {
  /** [C, H·W·N]. */
  readonly rows: Handle;
  /** [C, 1]. */
  readonly gain: Handle;
}

/** What rules share while one graph is lowered: where each value is, and in which layouts. */
export class Lowering {
  readonly #stored = new Map<Value, Map<Layout, Handle>>();
  readonly #produced = new Map<Value, Layout>();
  readonly #scaled = new Map<Value, ScaledRows>();
  readonly #consumers = new Map<Value, Node[]>();
  readonly #outputs: ReadonlySet<Value>;
  /**
   * Where maps are put. Training wants them channel-major; a graph that only runs forward with fixed weights keeps
   * ONNX's own order, because ONNX Runtime then folds BatchNorm and ReLU into blocked convolutions by itself, and other
   * tools can read the file.
   */
  readonly mapLayout: Layout;

  /** Axes of a channel-major map, outermost first, as indices into [N, C, H, W]. */
  readonly #order: readonly number[];

  constructor(
    readonly emit: Emitter,
    readonly target: Target,
    graph: Graph,
  ) {
    this.mapLayout = graph.nodes.some((node) => backwardOps.has(node.op.name)) ? 'channelMajor' : 'plain';
    this.#order = target === 'webgpu' ? mapsInnermost : batchInnermost;
    this.#outputs = new Set(Object.values(graph.outputs));
    for (const node of graph.nodes) {
      for (const value of node.inputs) {
        const nodes = this.#consumers.get(value);
        if (nodes) nodes.push(node);
        else this.#consumers.set(value, [node]);
      }
    }
  }

  /** The one node that a value is for, where that is all it is for: a rule can then do that node's work, too. */
  onlyConsumer(value: Value): Node | undefined {
    const [node, ...others] = this.#consumers.get(value) ?? [];
    return others.length === 0 && !this.#outputs.has(value) ? node : undefined;
  }

  /**
   * Record what a rule has emitted for a value.
   * @throws RangeError where it is of another type than the value: a fault of the rule
   */
  set(value: Value, handle: Handle, layout: Layout = 'plain'): void {
    const shape = layout === 'plain' ? value.shape : this.storedShape(value.shape);
    if (handle.dtype !== value.dtype || !sameShape(handle.shape, shape)) {
      throw new RangeError(
        `${value.node.op.name}: expected ${describeType({ dtype: value.dtype, shape })}. Received: ${describeType(handle)} of ${handle.name}.`,
      );
    }
    if (!this.#produced.has(value)) this.#produced.set(value, layout);
    const layouts = this.#stored.get(value) ?? new Map<Layout, Handle>();
    layouts.set(layout, handle);
    this.#stored.set(value, layouts);
  }

  /**
   * Whether a value, with the batch outermost, goes to a convolution and nowhere else, through ops that can be done while the
   * batch is innermost.
   */
  preparesMap(value: Value): boolean {
    if (!this.batchIsInnermost || this.mapLayout === 'plain' || this.#outputs.has(value)) return false;
    const consumers = this.#consumers.get(value) ?? [];
    return consumers.every(({ op, inputs, outputs }) =>
      preparingOps.has(op.name)
        ? this.preparesMap(at(outputs, 0))
        : convolvingOps.has(op.name) && inputs[0] === value,
    );
  }

  /** Whether a rule has emitted this value already. */
  has(value: Value): boolean {
    return this.#produced.has(value);
  }

  /** The layout that a value was computed in. */
  layoutOf(value: Value): Layout {
    return this.#produced.get(value) ?? 'plain';
  }

  /** The value, row-major as its shape says. */
  plain(value: Value): Handle {
    return this.#as(value, 'plain');
  }

  /** Whether channel-major maps are stored [C, H, W, N] rather than [C, N, H, W]. */
  get batchIsInnermost(): boolean {
    return this.#order === batchInnermost;
  }

  /** Shape of a map as stored channel-major. */
  storedShape(shape: Shape): Shape {
    return this.#orderOf(shape.length).map((axis) => at(shape, axis));
  }

  /** Where axis 0–3 of a map [N, C, H, W] lies in a channel-major one. */
  storedAxis(axis: number): number {
    return this.#order.indexOf(axis);
  }

  /** Numbers for the batch, the height and the width in the order of a channel-major map's axes behind the channels. */
  alongMap(batch: number, height: number, width: number): readonly number[] {
    return this.batchIsInnermost ? [height, width, batch] : [batch, height, width];
  }

  /** A map [N, C, H, W], stored channel-major. */
  channelMajor(value: Value): Handle {
    return this.#as(value, 'channelMajor');
  }

  /** x, row-major of a shape of rank 4, brought into the order of channel-major maps. */
  toChannelMajor(x: Handle): Handle {
    return this.transpose(x, this.#order);
  }

  /** A map in the graph's own layout of maps. */
  map(value: Value): Handle {
    return this.#as(value, this.mapLayout);
  }

  /** Record a map that a rule has emitted in the graph's own layout of maps. */
  setMap(value: Value, map: Handle): void {
    this.set(value, map, this.mapLayout);
  }

  /** A map as the matrix [C, H·W·N], its columns in the order in which maps are stored. */
  channelRows(value: Value): Handle {
    const [n, c, h, w] = fourAxes(value.shape);
    return this.emit.reshape(this.channelMajor(value), [c, n * h * w]);
  }

  /** Record such a matrix as the map `value`. */
  setChannelRows(value: Value, rows: Handle): void {
    this.set(value, this.emit.reshape(rows, this.storedShape(value.shape)), 'channelMajor');
  }

  /** Record a map as channel rows that have still to be scaled. */
  setScaledRows(value: Value, scaled: ScaledRows): void {
    this.#produced.set(value, 'channelMajor');
    this.#scaled.set(value, scaled);
  }

  /** A map as channel rows, and what they have still to be scaled by, if anything. */
  scaledRows(value: Value): Pick<ScaledRows, 'rows'> & Partial<ScaledRows> {
    return this.#scaled.get(value) ?? { rows: this.channelRows(value) };
  }

  /** The same, the rows as the map that they are stored as. */
  scaledMap(value: Value): { readonly map: Handle; readonly gain?: Handle } {
    const scaled = this.#scaled.get(value);
    if (!scaled) return { map: this.channelMajor(value) };
    return { map: this.emit.reshape(scaled.rows, this.storedShape(value.shape)), gain: scaled.gain };
  }

  /** x in another shape. The first axis is whatever is left, so that the size of a batch in it may be free. */
  reshape(x: Handle, to: Shape): Handle {
    return this.emit.reshape(x, to.length > 0 ? [-1, ...to.slice(1)] : to);
  }

  /** x with its axes in another order; a reshape where only axes of size 1 move. */
  transpose(x: Handle, perm: readonly number[]): Handle {
    const moved = perm.filter((axis) => x.shape[axis] !== 1);
    if (moved.every((axis, i) => i === 0 || axis > at(moved, i - 1))) {
      return this.reshape(
        x,
        perm.map((axis) => at(x.shape, axis)),
      );
    }
    return this.emit.transpose(x, perm);
  }

  /** Axes as stored channel-major, outermost first, of a value of this rank. */
  #orderOf(rank: number): readonly number[] {
    if (rank === 4) return this.#order;
    return [...Array.from({ length: rank - 1 }, (_, axis) => axis + 1), 0];
  }

  #as(value: Value, layout: Layout): Handle {
    const scaled = this.#scaled.get(value);
    if (scaled && !this.#stored.has(value)) {
      this.setChannelRows(value, this.emit.node('Mul', [scaled.rows, scaled.gain]));
    }
    const layouts = this.#stored.get(value);
    const present = layouts?.get(layout);
    if (present !== undefined) return present;
    const [first] = layouts ?? [];
    if (!first) throw new RangeError(`${value.node.op.name}: its value is asked for before it is there`);
    const [other, handle] = first;
    const order = this.#orderOf(value.shape.length);
    const back = order.map((_, axis) => order.indexOf(axis));
    const converted = this.transpose(handle, other === 'plain' ? order : back);
    this.set(value, converted, layout);
    return converted;
  }
}

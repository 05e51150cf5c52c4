import { QuarterturnError } from '../errors.js';
import type { Value } from '../graph/index.js';
import { type Bindings, type Block, type NormMode, type ParamSpec, specsOf } from './block.js';

/** A layer, or several as one: whatever has tensors of its own and is applied to a value. */
export type Layer = Pick<Block, 'name' | 'layers' | 'apply'>;

/** Layers by what their network calls them. */
export type Layers = Readonly<Record<string, Layer>>;

/** The layers as functions, while a graph is built. */
export type AppliedLayers<L extends Layers> = { readonly [K in keyof L]: (x: Value) => Value };

/** Values by the names of the inputs that they come from. */
export type NamedValues<Names extends PropertyKey = string> = { readonly [N in Names]: Value };

/** A network of one's own: layers, and how its output comes from its input. */
export interface LayeredNetwork<L extends Layers = Layers> {
  readonly layers: L;
  /** All tensors, layer by layer. */
  readonly specs: readonly ParamSpec[];
  /**
   * The output for `x`.
   * @param normOf where BatchNorm takes its statistics from, by what the network calls the layer
   */
  apply(x: Value, bindings: Bindings, normOf: (layer: string) => NormMode): Value;
}

/**
 * A network of one's own.
 *
 * `forward` is called whenever a graph is built: it applies the layers, each of them as often as it likes (the tensors are
 * then shared), and any op between them. What it gives back, the loss and the exported file are given.
 *
 * @param layers by what `forward` calls them
 * @param forward x is the network's input, of the shape that `compileStep` or `exportNetwork` are told
 * @example
 * const mlp = network(
 *   { hidden: dense('hidden', 784, 128), out: dense('out', 128, 10) },
 *   ({ hidden, out }, x) => out(relu(hidden(x))),
 * );
 * @throws QuarterturnError `usage` for two tensors of one name
 */
export function network<const L extends Layers>(
  layers: L,
  forward: (layers: AppliedLayers<L>, x: Value) => Value,
): LayeredNetwork<L> {
  const specs = specsOf(Object.values(layers));
  const twice = specs.find(({ name }, i) => specs.findIndex((other) => other.name === name) < i);
  if (twice) {
    throw new QuarterturnError(
      'usage',
      `network: expected a name of its own for each tensor. Received: two of "${twice.name}".`,
      { hint: 'Give each layer another name: dense("hidden", …), dense("out", …).' },
    );
  }
  return {
    layers,
    specs,
    apply(x, bindings, normOf) {
      const applied = Object.entries(layers).map(
        ([key, layer]) => [key, (value: Value) => layer.apply(value, bindings, normOf(key))] as const,
      );
      return forward(Object.fromEntries(applied) as AppliedLayers<L>, x);
    },
  };
}

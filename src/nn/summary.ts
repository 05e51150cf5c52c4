import { sizeOf } from '../tensor/tensor.js';
import type { ParamSpec } from './block.js';
import type { Network } from './network.js';

/** One row of a layer table. */
export interface LayerRow {
  readonly name: string;
  /** e.g. `Conv2D`. */
  readonly type: string;
  /** Without the batch axis, H×W×C as the notebook prints it: [28, 28, 192]. */
  readonly outputShape: readonly number[];
  readonly params: number;
  readonly trainable: boolean;
}

export interface LayerTable {
  readonly title: string;
  readonly rows: readonly LayerRow[];
  readonly totalParams: number;
  readonly trainableParams: number;
  readonly nonTrainableParams: number;
}

/**
 * The layer table of a network with its first `frozenBlocks` blocks frozen.
 *
 * Moving statistics are never trained; a frozen block's tensors are not either.
 */
export function summary(
  network: Network,
  {
    title = network.title,
    frozenBlocks = 0,
  }: { readonly title?: string; readonly frozenBlocks?: number } = {},
): LayerTable {
  const count = (specs: readonly ParamSpec[]) => specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const parts = [
    ...network.blocks.map((block, i) => ({ layers: block.layers, trainable: i >= frozenBlocks })),
    { layers: network.head.layers, trainable: true },
  ];
  const rows = parts.flatMap(({ layers, trainable }) =>
    layers.map(({ name, type, outputShape, params }) => ({
      name,
      type,
      outputShape,
      params: count(params),
      trainable,
    })),
  );
  const totalParams = count(network.specs);
  const trainableParams = parts
    .filter(({ trainable }) => trainable)
    .flatMap(({ layers }) => layers.flatMap(({ params }) => params.filter(({ kind }) => kind === 'param')))
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { title, rows, totalParams, trainableParams, nonTrainableParams: totalParams - trainableParams };
}

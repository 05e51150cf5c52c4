import type { ValueType } from '../graph/index.js';
import { lowerForAnyBatch } from '../lower/any-batch.js';
import type { LayeredNetwork } from '../nn/layered-network.js';
import { encodeModel } from '../onnx/encode.js';
import type { Tensors } from '../tensor/tensor.js';
import { buildOutput } from '../train/forward.js';

export interface ExportNetworkOptions {
  /** What the network is given; its first axis is the batch, which may have any size in the file. */
  readonly x: ValueType;
  /** Free text kept in the file. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes a network of one's own as an ONNX file of plain operators: `x` [N, …] → `output`, with any N. BatchNorm uses its stored
 * statistics.
 *
 * @param weights all tensors of the network, such as `CompiledStep.weights()`
 * @example
 * const file = exportNetwork(mlp, step.weights(), { x: { dtype: 'float32', shape: [1, 784] } });
 * const { output } = await (await runtime.load(file)).run({ x: float32([3, 784], pixels) });
 * @throws QuarterturnError `shape` naming the layer where shapes do not fit; `runtime` for a network whose operators depend on the size
 *   of the batch
 */
export function exportNetwork(
  network: LayeredNetwork,
  weights: Tensors,
  { x, metadata = {} }: ExportNetworkOptions,
): Uint8Array {
  const build = (batchSize: number) =>
    buildOutput(network, weights, { ...x, shape: [batchSize, ...x.shape.slice(1)] });
  return encodeModel(lowerForAnyBatch(build, 'anywhere', { name: 'quarterturn network', metadata }));
}

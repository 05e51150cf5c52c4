import type { Block, LayerInfo } from '../src/nn/block.js';
import type { Network } from '../src/nn/network.js';
import { sizeOf } from '../src/tensor/tensor.js';

type Layers = readonly Pick<Block, 'layers'>[];

/** Multiply-adds of one layer for one image: each weight of a kernel is used once at every position of the output. */
function layerMultiplyAdds({ params, outputShape }: LayerInfo): number {
  const positions = outputShape.length === 3 ? outputShape[0]! * outputShape[1]! : 1;
  const weights = params.filter(({ shape }) => shape.length > 1);
  return weights.reduce((sum, { shape }) => sum + sizeOf(shape) * positions, 0);
}

/** Multiply-adds of the forward pass for one image, from the layer table; BatchNorm, ReLU and pooling are not counted. */
export function multiplyAdds(parts: Layers): number {
  const layers = parts.flatMap((part) => part.layers);
  return layers.reduce((sum, layer) => sum + layerMultiplyAdds(layer), 0);
}

/** Floating-point operations of the forward pass for one image: a multiply-add is two. */
export function inferenceFlops({ blocks, head }: Network): number {
  return 2 * multiplyAdds([...blocks, head]);
}

export interface TrainedPart {
  /** Blocks 0 … frozenBlocks − 1 run forward only. */
  readonly frozenBlocks: number;
  /** `features`: the frozen blocks' output is given, so that they do not run at all. */
  readonly batch: 'images' | 'features';
}

/**
 * Floating-point operations of a training step for one image: forward, gradient in the kernel and gradient in the input
 * take the same multiply-adds each; nobody needs the gradient in the input of the first trained layer.
 */
export function trainingFlops({ blocks, head }: Network, { frozenBlocks, batch }: TrainedPart): number {
  const trained = [...blocks.slice(frozenBlocks), head];
  const frozen = batch === 'images' ? multiplyAdds(blocks.slice(0, frozenBlocks)) : 0;
  const first = trained[0]!.layers.find((layer) => layerMultiplyAdds(layer) > 0);
  return 2 * (frozen + 3 * multiplyAdds(trained) - layerMultiplyAdds(first!));
}

import type { Block, BlockBuilder, MapShape } from '../block.js';
import { type ConvUnitSettings, convUnit } from '../layers.js';

export interface BackboneSettings {
  /** Multiplies the number of channels of every layer. */
  readonly width: number;
  /** What BatchNorm adds to the variance; default: 1e-3 as in Keras. */
  readonly batchNormEpsilon?: number | undefined;
}

/** What turns images into features; `registry.ts` lists all there are. */
export interface Backbone {
  /** What settings call it. */
  readonly name: string;
  /** What people call it, as the heading of a table. */
  readonly title: string;
  /**
   * Its blocks, first to last; each is frozen or trained as a whole, and the last gives one row of features [C].
   * @param images shape of the maps that images come as, of at least `minSize` a side (`network.ts`)
   */
  build(images: MapShape, settings: BackboneSettings): readonly Block[];
}

/** Convolution units of a backbone by their channels at width 1. */
export function convUnits({ width, batchNormEpsilon }: BackboneSettings) {
  return (
    name: string,
    kernelSize: number,
    fullChannels: number,
    activation: ConvUnitSettings['activation'] = 'relu',
  ): BlockBuilder => {
    const channels = Math.max(1, Math.round(fullChannels * width));
    return convUnit({ name, kernelSize, channels, batchNormEpsilon, activation });
  };
}

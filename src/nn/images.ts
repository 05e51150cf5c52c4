import { shapeError } from '../graph/graph.js';
import { add, cast, constant, mul, transpose, type Value } from '../graph/index.js';
import { float32 } from '../tensor/tensor.js';

/** Normalisation of pixels before the first layer, channel by channel: x = (scale·pixel − mean) / deviation. */
export interface Normalisation {
  /** Default: 1/255, which brings 0–255 to 0–1. */
  readonly scale?: number | undefined;
  /** Of scaled pixels, a number for each channel; default: 0. */
  readonly mean?: readonly number[] | undefined;
  /** Of scaled pixels, a number above 0 for each channel; default: 1. */
  readonly deviation?: readonly number[] | undefined;
}

/**
 * uint8 [N, H, W, C] → float32 [N, C, H, W], normalised; by default pixels / 255.
 *
 * The cast comes first: some runtimes (TensorRT) take whole numbers into nothing else.
 * @throws QuarterturnError `shape` for means or deviations that are not one number for each channel
 */
export function imagesToMaps(images: Value, { scale = 1 / 255, mean, deviation }: Normalisation = {}): Value {
  const pixels = transpose(cast(images, 'float32'), [0, 3, 1, 2]);
  if (mean === undefined && deviation === undefined) return mul(pixels, scale);
  const channels = pixels.shape[1] ?? 0;
  const perChannel = (name: string, numbers: readonly number[] | undefined, byDefault: number) => {
    const given = numbers ?? new Array<number>(channels).fill(byDefault);
    const isFit = given.every((v) => Number.isFinite(v) && (name === 'mean' || v > 0));
    if (given.length === channels && isFit) return given;
    const wanted = `${channels} ${name === 'mean' ? 'finite numbers' : 'numbers above 0'}, one for each channel`;
    throw shapeError(`normalisation, ${name}`, wanted, `[${given.join(', ')}]`);
  };
  const means = perChannel('mean', mean, 0);
  // pixel·(scale/deviation) − mean/deviation: one pass less over the maps.
  const gains = perChannel('deviation', deviation, 1).map((v) => 1 / v);
  const offsets = gains.map((gain, c) => -gain * (means[c] ?? 0));
  const shape = [1, channels, 1, 1];
  const scales = constant(
    float32(
      shape,
      gains.map((gain) => scale * gain),
    ),
  );
  return add(mul(pixels, scales), constant(float32(shape, offsets)));
}

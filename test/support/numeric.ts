import { Random } from '../../src/random/random.js';
import { float32, type Shape, sameShape, sizeOf, type Tensor } from '../../src/tensor/tensor.js';

/** How far `actual` may be from `expected`: |actual − expected| ≤ absolute + relative·|expected|, nothing off ±∞. */
export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
}

/** Numbers with a shape: a host tensor, a result of the interpreter, a golden value. */
export interface Shaped {
  readonly shape: Shape;
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/**
 * Compare number by number; shapes too where both sides have one. NaN is close to nothing.
 * @throws Error naming `what`, the index that is worst in terms of what is allowed there, and both values
 */
export function expectClose(
  actual: Shaped | ArrayLike<number>,
  expected: Shaped | ArrayLike<number>,
  { relative = 0, absolute = 0 }: Tolerance,
  what: string,
): void {
  const [got, wanted] = [shaped(actual), shaped(expected)];
  const oneIsFlat = !('shape' in actual && 'shape' in expected);
  if (oneIsFlat ? got.data.length !== wanted.data.length : !sameShape(got.shape, wanted.shape)) {
    throw new Error(`${what}: expected shape [${wanted.shape}]. Received: [${got.shape}].`);
  }
  let failures = 0;
  let worst = { index: -1, excess: 0, allowed: 0 };
  for (let i = 0; i < got.data.length; i++) {
    const [a, e] = [Number(got.data[i]), Number(wanted.data[i])];
    const allowed = Number.isFinite(e) ? absolute + relative * Math.abs(e) : 0;
    if (a === e || Math.abs(a - e) <= allowed) continue;
    failures++;
    const ratio = Math.abs(a - e) / allowed;
    const excess = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
    if (worst.index < 0 || excess > worst.excess) worst = { index: i, excess, allowed };
  }
  if (failures === 0) return;
  const position = unravel(worst.index, 'shape' in actual ? got.shape : wanted.shape).join(', ');
  const [a, e] = [Number(got.data[worst.index]), Number(wanted.data[worst.index])];
  throw new Error(
    `${what}: ${failures} of ${got.data.length} values are off, the worst at [${position}]: ` +
      `expected ${e} ± ${worst.allowed}. Received: ${a}.`,
  );
}

/** The row-major position of a flat index. */
function unravel(index: number, shape: Shape): number[] {
  return shape.map((n, axis) => Math.floor(index / sizeOf(shape.slice(axis + 1))) % n);
}

function shaped(value: Shaped | ArrayLike<number>): Shaped {
  return 'shape' in value ? value : { shape: [value.length], data: value };
}

/** Uniform numbers in [low, high), the same for the same seed. */
export function randomTensor(
  seed: number,
  shape: Shape,
  { low = -1, high = 1 }: { readonly low?: number; readonly high?: number } = {},
): Tensor<'float32'> {
  const random = Random.seeded(seed);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(low, high)),
  );
}

/** Numbers of either sign with a magnitude in [0.1, 1): none is near the kink of a ReLU. */
export function randomAwayFromZero(seed: number, shape: Shape): Tensor<'float32'> {
  const random = Random.seeded(seed);
  const draw = () => (random.integer(2) === 0 ? -1 : 1) * random.uniform(0.1, 1);
  return float32(shape, Float32Array.from({ length: sizeOf(shape) }, draw));
}

/** The multiples 0, 0.1, 0.2, … around 0 in random order: no two are near a tie. */
export function randomApart(seed: number, shape: Shape): Tensor<'float32'> {
  const size = sizeOf(shape);
  return float32(
    shape,
    Float32Array.from(Random.seeded(seed).permutation(size), (k) => 0.1 * (k - size / 2)),
  );
}

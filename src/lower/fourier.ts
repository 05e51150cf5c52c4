import { at } from '../tensor/elements.js';
import type { ConvAxis } from './conv-problem.js';
import { type Matrix, range } from './matrix.js';

/**
 * The shortest period in which no window that reaches over one end of the map meets the other end: then a convolution on
 * a circle is the convolution on the padded map. Padding that only windows see needs no room of its own: 14 positions
 * and 5 taps with 2 of padding at either end take 16.
 */
export function periodOf({ size, outSize, kernel, before }: ConvAxis): number {
  return Math.max(size + Math.max(before, 0), outSize + kernel - 1 - before, outSize, kernel);
}

/**
 * Frequencies of a real signal of some period: the others are their conjugates.
 */
export function frequenciesOf(period: number): number {
  return Math.floor(period / 2) + 1;
}

/** Real products in place of one complex product. */
export const productsPerFrequency = 3;

/**
 * The maps of a fast convolution: y = output·((kernel·w) ∘ (input·x)), with ∘ number by number. Input and output go axis
 * by axis, `columns` along the width, `rows` along the height.
 */
export interface Transforms {
  /** [(3, l, k), (i, j)] of the taps. */
  readonly kernel: Matrix;
  readonly input: {
    /** [(part, k), w]: the real signal's frequencies k, real parts before imaginary ones. */
    readonly columns: Matrix;
    /** [(3, l), (h, part)]. */
    readonly rows: Matrix;
  };
  readonly output: {
    /** [(h, part), (3, l)]. */
    readonly rows: Matrix;
    /** [w, (part, k)]. */
    readonly columns: Matrix;
  };
}

/**
 * Convolution by the discrete Fourier transform of a whole map: frequencies l along the height and k along the width,
 * of which half say everything. y[i] = Σ w[j]·x[i + j − before] on a circle of n positions is
 *
 *   ŷ(f) = ŵ(f)·x̂(f)   with   x̂(f) = Σ x[s]·e^(−2πi·f·s/n),   ŵ(f) = Σ w[j]·e^(2πi·f·(j − before)/n)
 *
 * A complex product is three real ones (Gauss): with a = wᵣ·(xᵣ + xᵢ), b = (wᵢ − wᵣ)·xᵣ and c = (wᵣ + wᵢ)·xᵢ it is
 * (a − c) + i·(a + b). Hence each frequency has three numbers of w and of x, which are multiplied in pairs.
 *
 * For 5×5 taps on 14×14 maps these are 432 products instead of 4,900 (Winograd's F(4×4, 5×5) takes 1,024), for 3×3 taps
 * 360 instead of 1,764. All transforms are products with constant matrices whose entries are at most 2: rounding errors
 * stay those of a sum.
 */
export function fourierTransforms(height: ConvAxis, width: ConvAxis): Transforms {
  const [rows, columns] = [periodOf(height), periodOf(width)];
  const [l, k] = [range(rows), range(frequenciesOf(columns))];
  const angleOf = (frequency: number, position: number, period: number) =>
    // Reduced first: products of integers are exact, angles are not.
    (2 * Math.PI * ((frequency * position) % period)) / period;

  const wave = (frequency: number, position: number, period: number): Complex => {
    const angle = angleOf(frequency, position, period);
    return { re: Math.cos(angle), im: Math.sin(angle) };
  };
  const [heightOut, widthOut] = [range(height.outSize), range(width.outSize)];

  const kernel = (['a', 'b', 'c'] as const).flatMap((product) =>
    l.flatMap((fl) =>
      k.map((fk) =>
        range(height.kernel).flatMap((i) =>
          range(width.kernel).map((j) => {
            const { re, im } = times(wave(fl, i - height.before, rows), wave(fk, j - width.before, columns));
            return { a: re, b: im - re, c: re + im }[product];
          }),
        ),
      ),
    ),
  );

  const inputColumns = [
    ...k.map((f) => range(width.size).map((s) => wave(f, -s, columns).re)),
    ...k.map((f) => range(width.size).map((s) => wave(f, -s, columns).im)),
  ];
  // The real and the imaginary part of e·(u + i·v), as factors of u and of v.
  const inputRows = (['a', 'b', 'c'] as const).flatMap((product) =>
    l.map((f) =>
      range(height.size).flatMap((s) => {
        const { re, im } = wave(f, -s, rows);
        return { a: [re + im, re - im], b: [re, -im], c: [im, re] }[product];
      }),
    ),
  );

  // ŷ·e = (a − c)·eᵣ − (a + b)·eᵢ + i·((a − c)·eᵢ + (a + b)·eᵣ).
  const outputRows = heightOut.flatMap((s) => {
    const waves = l.map((f) => wave(f, s, rows));
    return [
      [...waves.map(({ re, im }) => re - im), ...waves.map(({ im }) => -im), ...waves.map(({ re }) => -re)],
      [...waves.map(({ re, im }) => re + im), ...waves.map(({ re }) => re), ...waves.map(({ im }) => -im)],
    ];
  });
  // The real part of each frequency and of its conjugate, which 0 and half the period do not have.
  const outputColumns = widthOut.map((s) => {
    const weights = k.map((f) => ((2 * f) % columns === 0 ? 1 : 2) / (rows * columns));
    return [
      ...k.map((f) => at(weights, f) * wave(f, s, columns).re),
      ...k.map((f) => -at(weights, f) * wave(f, s, columns).im),
    ];
  });

  return {
    kernel,
    input: { columns: inputColumns, rows: inputRows },
    output: { rows: outputRows, columns: outputColumns },
  };
}

interface Complex {
  readonly re: number;
  readonly im: number;
}

function times(u: Complex, v: Complex): Complex {
  return { re: u.re * v.re - u.im * v.im, im: u.re * v.im + u.im * v.re };
}

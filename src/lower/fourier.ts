import { at } from '../tensor/elements.js';
import type { ConvAxis } from './conv-problem.js';
import { type Matrix, range, transposed } from './matrix.js';

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
 * The maps of a fast convolution: y = output·((kernel·w) ∘ (input·x)), with ∘ number by number.
 */
export interface PlaneTransforms {
  /** [points, (i, j)] of the taps. */
  readonly kernel: Matrix;
  /** [points, (h, w)]. */
  readonly input: Matrix;
  /** [(h, w), points]. */
  readonly output: Matrix;
}

/** The same, input and output axis by axis: `columns` along the width, `rows` along the height. */
export interface AxisTransforms {
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
export function axisTransforms(height: ConvAxis, width: ConvAxis): AxisTransforms {
  const [rows, columns] = [periodOf(height), periodOf(width)];
  const [l, k] = [range(rows), range(frequenciesOf(columns))];

  const kernelOf = l.flatMap((fl) => k.map((fk) => kernelForms(height, width, fl, fk)));
  const inputColumns = [
    ...k.map((f) => range(width.size).map((s) => wave(f, -s, columns).re)),
    ...k.map((f) => range(width.size).map((s) => wave(f, -s, columns).im)),
  ];
  const inputOf = l.map((f) => range(height.size).map((s) => inputForms(wave(f, -s, rows))));
  const outputRows = range(height.outSize).flatMap((s) => {
    const forms = l.map((f) => outputForms(wave(f, s, rows)));
    return (['re', 'im'] as const).map((part) => products.flatMap((p) => forms.map((form) => form[part][p])));
  });
  // The real part of each frequency and of its conjugate, which 0 and half the period do not have.
  const outputColumns = range(width.outSize).map((s) => {
    const weights = k.map((f) => ((2 * f) % columns === 0 ? 1 : 2) / (rows * columns));
    return [
      ...k.map((f) => at(weights, f) * wave(f, s, columns).re),
      ...k.map((f) => -at(weights, f) * wave(f, s, columns).im),
    ];
  });

  return {
    kernel: products.flatMap((p) => kernelOf.map((forms) => forms[p])),
    input: {
      columns: inputColumns,
      rows: products.flatMap((p) => inputOf.map((forms) => forms.flatMap((form) => form[p]))),
    },
    output: { rows: outputRows, columns: outputColumns },
  };
}

/**
 * The same with both axes at once. Then each frequency stands for its conjugate too, and one that is its own conjugate is
 * real and takes a single product: 94 for 3×3 taps on 7×7 maps, 37 on 4×4 maps, where {@link axisTransforms} has 120 and 45.
 * The transforms take more arithmetic, which grows with the square of the positions, and one product instead of two.
 */
export function planeTransforms(height: ConvAxis, width: ConvAxis): PlaneTransforms {
  const [rows, columns] = [periodOf(height), periodOf(width)];
  const conjugate = (f: number, period: number) => (period - f) % period;
  // Of each frequency and its conjugate the one that comes first.
  const frequencies = overPlane(rows, columns, (l, k) => {
    const distance = l * columns + k - (conjugate(l, rows) * columns + conjugate(k, columns));
    return { l, k, isReal: distance === 0, isFirst: distance <= 0 };
  }).filter(({ isFirst }) => isFirst);

  const points = frequencies.flatMap(({ l, k, isReal }) => {
    const waveAt = (i: number, j: number) => times(wave(l, i, rows), wave(k, j, columns));
    const kernel = kernelForms(height, width, l, k);
    const input = overPlane(height.size, width.size, (i, j) => inputForms(waveAt(-i, -j)));
    const output = overPlane(height.outSize, width.outSize, (i, j) => outputForms(waveAt(i, j)));
    const weight = (isReal ? 1 : 2) / (rows * columns);
    // Where nothing is imaginary, a is the whole product.
    return (isReal ? realProducts : products).map((p) => ({
      kernel: kernel[p],
      input: input.map((form) => form[p][0]),
      output: output.map((form) => weight * form.re[p]),
    }));
  });
  return {
    kernel: points.map(({ kernel }) => kernel),
    input: points.map(({ input }) => input),
    output: transposed(points.map(({ output }) => output)),
  };
}

/** The products of {@link axisTransforms}. */
const products = ['a', 'b', 'c'] as const;
const realProducts = ['a'] as const;

/** What the taps are multiplied by for the three products of a frequency. */
function kernelForms(height: ConvAxis, width: ConvAxis, l: number, k: number) {
  const [rows, columns] = [periodOf(height), periodOf(width)];
  const taps = overPlane(height.kernel, width.kernel, (i, j) =>
    times(wave(l, i - height.before, rows), wave(k, j - width.before, columns)),
  );
  return {
    a: taps.map(({ re }) => re),
    b: taps.map(({ re, im }) => im - re),
    c: taps.map(({ re, im }) => re + im),
  };
}

/** Row by row. */
function overPlane<T>(height: number, width: number, of: (i: number, j: number) => T): readonly T[] {
  return range(height).flatMap((i) => range(width).map((j) => of(i, j)));
}

/** The real part, the imaginary part or their sum of e·(u + i·v), as factors of u and of v. */
const inputForms = ({ re, im }: Complex) => ({ a: [re + im, re - im], b: [re, -im], c: [im, re] }) as const;

/** ŷ·e = (a − c)·eᵣ − (a + b)·eᵢ + i·((a − c)·eᵢ + (a + b)·eᵣ), as factors of a, b and c. */
const outputForms = ({ re, im }: Complex) => ({
  re: { a: re - im, b: -im, c: -re },
  im: { a: re + im, b: re, c: -im },
});

interface Complex {
  readonly re: number;
  readonly im: number;
}

/** e^(2πi·frequency·position/period). */
function wave(frequency: number, position: number, period: number): Complex {
  // Reduced first: products of integers are exact, angles are not.
  const angle = (2 * Math.PI * ((frequency * position) % period)) / period;
  return { re: Math.cos(angle), im: Math.sin(angle) };
}

function times(u: Complex, v: Complex): Complex {
  return { re: u.re * v.re - u.im * v.im, im: u.re * v.im + u.im * v.re };
}

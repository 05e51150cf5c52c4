import { add, type Graph, graph, input, matMul, maxPool, relu, reshape, sub } from '../graph/index.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import type { Runtime } from '../runtime/runtime.js';
import { type Tensor, tensor, zeros } from '../tensor/tensor.js';

/**
 * Rows of a block at most. A product of two blocks is large enough for the kernels to reach their speed, and its 4 MB are
 * still in the cache when they are looked through. Of 256 × 1,024 to 2,048 × 2,048, all shapes take as long for each product.
 */
const largestBlock = 1024;

/**
 * Products of a row, or of a column, of which the kernels tell the highest. Of fewer there is less often one to see, but there are more
 * groups to ask.
 */
const groupSize = 16;

/** Instead of −∞: every product is above. */
const lowest = -1e30;

/** The nearest rows of each row of a matrix, the nearest first. */
export interface Neighbours {
  /** Per row; fewer than asked for if there are not enough rows. */
  readonly count: number;
  /** [rows · count]. */
  readonly indices: Int32Array;
  /** Cosine, −1 … 1, [rows · count]. */
  readonly similarities: Float32Array;
}

export interface NeighboursOptions {
  /** Neighbours of each row. */
  readonly count: number;
  /** Title of the pass in progress events. */
  readonly title: string;
  /**
   * The mirror image of each row, float32 [n, d]: two rows are then as alike as the first and the second, or as the first and
   * the mirror image of the second, whichever is more.
   */
  readonly mirrored?: Tensor<'float32'> | undefined;
}

/**
 * Finds, for each row, the `count` other rows with the largest dot product, exactly; of equal ones, the first. With mirror
 * images m(y), the product of x and y, of which x comes first, is
 *
 *   max(x · y, x · m(y))
 *
 * Rows are cut into blocks, and each pair of blocks is multiplied once: the product tells the rows of either block of
 * those of the other. The kernels also tell the highest product of each group in a row and in a column. Few are above what the
 * lists hold after the first blocks, and only their groups are read here.
 *
 * Time grows with n²·d: 60,000 rows of 392 numbers take 15 s on 2 cores of an Intel Xeon with AVX-512 at 2.5 GHz, most
 * of it the products, and 200,000 eleven times as long. Memory beyond the 4·n·d bytes of the features: 8·n·count for the result, some
 * 5 MB for the products of two blocks; with the features 105 MB for 60,000 rows, 335 MB for 200,000. Mirror images double the time and
 * the features.
 *
 * @param features float32 [n, d], rows of length 1: then the dot product is the cosine
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function nearestNeighbours(
  features: Tensor<'float32'>,
  context: ProgressOptions & { readonly runtime: Runtime },
  { count: wanted, title, mirrored }: NeighboursOptions,
): Promise<Neighbours> {
  const [n, d] = features.shape as readonly [number, number];
  const blocks = Math.ceil(n / largestBlock);
  // Whole groups, of which the last block is filled up with rows of zeros that nobody looks at.
  const blockRows = Math.ceil(n / blocks / groupSize) * groupSize;
  const nearest = new NearestLists(n, Math.min(wanted, n - 1));
  const program = await context.runtime.compile(
    productsAndHighest(blockRows, d, { withMirrored: mirrored !== undefined }),
  );
  const rowsFrom = ({ data }: Tensor<'float32'>, from: number): Tensor<'float32'> => {
    const some = data.subarray(from * d, (from + blockRows) * d);
    if (some.length === blockRows * d) return tensor('float32', [blockRows, d], some);
    const rows = zeros('float32', [blockRows, d]);
    rows.data.set(some);
    return rows;
  };
  const blockAt = (block: number): Block => {
    const from = block * blockRows;
    return { from, rows: rowsFrom(features, from), mirrored: mirrored && rowsFrom(mirrored, from) };
  };
  try {
    const progress = startProgress(context, title, blockPairs(n));
    const products = zeros('float32', [blockRows, blockRows]);
    const inRows = zeros('float32', [1, 1, blockRows, blockRows / groupSize]);
    const inColumns = zeros('float32', [1, 1, blockRows / groupSize, blockRows]);
    const outputs = { products, inRows, inColumns };
    const found = { products: products.data, inRows: inRows.data, inColumns: inColumns.data };
    let done = 0;
    for (let top = 0; top < blocks; top++) {
      const above = blockAt(top);
      for (let left = top; left < blocks; left++) {
        const beside = left === top ? above : blockAt(left);
        const inputs = {
          rows: above.rows,
          columns: beside.rows,
          ...(beside.mirrored && { mirroredColumns: beside.mirrored }),
        };
        await program.run(inputs, outputs);
        nearest.look(found, blockRows, above.from, beside.from);
        done++;
        await progress(done, `${done} of ${blockPairs(n)} comparisons`);
      }
    }
  } finally {
    await program.release();
  }
  return nearest;
}

/** Rows that are multiplied at once. */
interface Block {
  /** Index of the first. */
  readonly from: number;
  readonly rows: Tensor<'float32'>;
  readonly mirrored: Tensor<'float32'> | undefined;
}

/** What the kernels tell of two blocks. */
interface Products {
  /** p[i, j] of row i of the first and row j of the second, [size, size]. */
  readonly products: Float32Array;
  /** The highest of each group in a row, [size, groups], and in a column, [groups, size]. */
  readonly inRows: Float32Array;
  readonly inColumns: Float32Array;
}

function productsAndHighest(
  size: number,
  d: number,
  { withMirrored }: { readonly withMirrored: boolean },
): Graph {
  const rows = input('rows', 'float32', [size, d]);
  const productsWith = (name: string) =>
    matMul(rows, input(name, 'float32', [size, d]), { transposeB: true });
  const own = productsWith('columns');
  // The larger of two numbers, the first of which stays as it is to the bit where it is the larger one.
  const products = withMirrored ? add(own, relu(sub(productsWith('mirroredColumns'), own))) : own;
  const map = reshape(products, [1, 1, size, size]);
  const highest = (group: readonly [number, number]) =>
    maxPool(map, { kernel: group, strides: group, pads: [0, 0, 0, 0] });
  return graph({
    products,
    inRows: highest([1, groupSize]),
    inColumns: highest([groupSize, 1]),
  });
}

/** Products of two blocks that it takes to compare n rows with each other: what its time is proportional to. */
export function blockPairs(n: number): number {
  const blocks = Math.ceil(n / largestBlock);
  return (blocks * (blocks + 1)) / 2;
}

/**
 * The largest numbers that each row has met so far, in order. Whoever looks through all pairs of blocks in ascending order has each row
 * meet the others in ascending order. The product of a row with itself is left out, and on the diagonal, where each pair stands twice,
 * the one whose first row comes first counts.
 */
class NearestLists implements Neighbours {
  readonly count: number;
  readonly indices: Int32Array;
  readonly similarities: Float32Array;
  /** What a number must be above to get into a row's list. */
  readonly #least: Float32Array;

  constructor(rows: number, count: number) {
    this.count = count;
    this.indices = new Int32Array(rows * count);
    this.similarities = new Float32Array(rows * count).fill(lowest);
    this.#least = new Float32Array(rows).fill(lowest);
  }

  /**
   * Look through the products of two blocks of `size` rows, which begin with rows `top` and `left`, `top ≤ left`, in the groups whose
   * highest product belongs into a list. Columns come first: on the diagonal, a row meets those before it as a column.
   */
  look({ products, inRows, inColumns }: Products, size: number, top: number, left: number): void {
    const least = this.#least;
    const bottom = Math.min(top + size, least.length);
    const right = Math.min(left + size, least.length);
    const groups = size / groupSize;
    for (let group = 0; group < groups; group++) {
      const first = top + group * groupSize;
      for (let j = left; j < right; j++) {
        if (inColumns[group * size + j - left]! <= least[j]!) continue;
        const end = Math.min(first + groupSize, bottom, j);
        for (let i = first; i < end; i++) this.#meet(j, i, products[(i - top) * size + j - left]!);
      }
    }
    for (let i = top; i < bottom; i++) {
      for (let group = 0; group < groups; group++) {
        if (inRows[(i - top) * groups + group]! <= least[i]!) continue;
        const first = left + group * groupSize;
        const end = Math.min(first + groupSize, right);
        for (let j = Math.max(first, i + 1); j < end; j++)
          this.#meet(i, j, products[(i - top) * size + j - left]!);
      }
    }
  }

  /** Insert another row into a row's list, if it belongs there: few do. */
  #meet(row: number, other: number, value: number): void {
    if (value <= this.#least[row]!) return;
    const { count, indices, similarities } = this;
    const start = row * count;
    let place = start + count - 1;
    while (place > start && similarities[place - 1]! < value) {
      similarities[place] = similarities[place - 1]!;
      indices[place] = indices[place - 1]!;
      place--;
    }
    similarities[place] = value;
    indices[place] = other;
    this.#least[row] = similarities[start + count - 1]!;
  }
}

import {
  add,
  type Graph,
  graph,
  input,
  matMul,
  reduceSum,
  relu,
  reshape,
  sub,
  type Value,
} from '../graph/index.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import type { Runtime } from '../runtime/runtime.js';
import { type Tensor, tensor, zeros } from '../tensor/tensor.js';

/**
 * Rows of a block at most. A product of two blocks is large enough for the kernels to reach their speed, and its 4 MB are
 * still in the cache when they are looked through.
 */
const largestBlock = 1024;

/**
 * Products beside each other that are asked about at once: a line of the cache. Of 8 to 64, 16 and 32 are the fastest: among
 * fewer products there is less often one to see, but there are more groups to ask.
 */
const groupSize = 16;

/**
 * Instead of −∞, which every product is above: kernels for WebGPU may take it that no number is infinite, and sums of
 * groups of these stay finite.
 */
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
 * those of the other. The kernels also tell in which groups of products there is one that belongs into a list, few after
 * the first blocks, and only these are read here.
 *
 * Time grows with n²·d: 60,000 rows of 392 numbers take some ten seconds on 2 cores, 200,000 eleven times as long. Memory
 * beyond the 4·n·d bytes of the features: 8·n·count for the result, some 20 MB for the products of two blocks and what is
 * computed from them; with the features 120 MB for 60,000 rows, 350 MB for 200,000. Mirror images double the time and the
 * features.
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
  const nearest = new NearestLists(n, Math.min(wanted, n - 1), blocks * blockRows);
  const program = await context.runtime.compile(
    productsAndGroups(blockRows, d, { withMirrored: mirrored !== undefined }),
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
    const least = nearest.least.subarray(from, from + blockRows);
    return { from, least, rows: rowsFrom(features, from), mirrored: mirrored && rowsFrom(mirrored, from) };
  };
  try {
    const progress = startProgress(context, title, blockPairs(n));
    const products = zeros('float32', [blockRows, blockRows]);
    const toSee = zeros('float32', [blockRows, blockRows / groupSize]);
    let done = 0;
    for (let top = 0; top < blocks; top++) {
      const above = blockAt(top);
      for (let left = top; left < blocks; left++) {
        const beside = left === top ? above : blockAt(left);
        const inputs = {
          rows: above.rows,
          columns: beside.rows,
          ...(beside.mirrored && { mirroredColumns: beside.mirrored }),
          leastOfRows: tensor('float32', [blockRows, 1], above.least),
          leastOfColumns: tensor('float32', [blockRows], beside.least),
        };
        await program.run(inputs, { products, toSee });
        nearest.look(products.data, toSee.data, blockRows, above.from, beside.from);
        done++;
        await progress(done, `${done} of ${blockPairs(n)} comparisons`);
      }
    }
  } finally {
    await program.release();
  }
  return nearest;
}

/** Rows that are multiplied at once, and what a number must be above to get into the list of each. */
interface Block {
  /** Index of the first. */
  readonly from: number;
  readonly rows: Tensor<'float32'>;
  readonly mirrored: Tensor<'float32'> | undefined;
  readonly least: Float32Array<ArrayBuffer>;
}

/**
 * The products of two blocks, and which groups of them there is something to see in:
 *
 *   toSee[i, g] = Σ_{j in group g} max(p[i, j] − leastOfRows[i], 0) + max(p[i, j] − leastOfColumns[j], 0)
 *
 * A difference is above 0 just when one number is above the other, and no rounding makes a sum of such 0: it is 0 just
 * when no product of the group belongs into a list.
 */
function productsAndGroups(
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
  const excess = (least: Value): Value =>
    reduceSum(reshape(relu(sub(products, least)), [size, size / groupSize, groupSize]), [2]);
  const toSee = add(
    excess(input('leastOfRows', 'float32', [size, 1])),
    excess(input('leastOfColumns', 'float32', [size])),
  );
  return graph({ products, toSee });
}

/** Products of two blocks that it takes to compare n rows with each other: what its time is proportional to. */
export function blockPairs(n: number): number {
  const blocks = Math.ceil(n / largestBlock);
  return (blocks * (blocks + 1)) / 2;
}

/** The largest numbers that each row has met so far, in order. */
class NearestLists implements Neighbours {
  readonly count: number;
  readonly indices: Int32Array;
  readonly similarities: Float32Array;
  /** What a number must be above to get into a row's list; the rows that blocks are filled up with have none. */
  readonly least: Float32Array<ArrayBuffer>;
  readonly #rows: number;

  constructor(rows: number, count: number, filledUp: number) {
    this.#rows = rows;
    this.count = count;
    this.indices = new Int32Array(rows * count);
    this.similarities = new Float32Array(rows * count).fill(lowest);
    this.least = new Float32Array(filledUp).fill(lowest, 0, rows).fill(-lowest, rows);
  }

  /**
   * Look through the products of two blocks of `size` rows, the first of which are rows `top` and `left`, `top ≤ left`,
   * in the groups that have something to see. Whoever asks for all pairs in ascending order has each row meet the others
   * in ascending order.
   */
  look(products: Float32Array, toSee: Float32Array, size: number, top: number, left: number): void {
    const { least } = this;
    const groups = size / groupSize;
    const bottom = Math.min(top + size, this.#rows);
    const right = Math.min(left + size, this.#rows);
    for (let i = top; i < bottom; i++) {
      // The product of a row with itself is left out, and on the diagonal each pair stands twice.
      const first = top === left ? i + 1 : left;
      const offset = (i - top) * size - left;
      for (let group = 0; group < groups; group++) {
        if (toSee[(i - top) * groups + group] === 0) continue;
        const from = left + group * groupSize;
        const to = Math.min(from + groupSize, right);
        for (let j = Math.max(from, first); j < to; j++) {
          const value = products[offset + j]!;
          if (value > least[j]!) this.#insert(j, i, value);
          if (value > least[i]!) this.#insert(i, j, value);
        }
      }
    }
  }

  /** An insertion into a list that few numbers reach. */
  #insert(row: number, other: number, value: number): void {
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
    this.least[row] = similarities[start + count - 1]!;
  }
}

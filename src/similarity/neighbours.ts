import { graph, input, matMul } from '../graph/index.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import type { Runtime } from '../runtime/runtime.js';
import { type Tensor, tensor, zeros } from '../tensor/tensor.js';

/**
 * Rows of a block at most. A product of two blocks is large enough for the kernels to reach their speed, and its 4 MB are
 * still in the cache when they are looked through.
 */
const largestBlock = 1024;

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
}

/**
 * Finds, for each row, the `count` other rows with the largest dot product, exactly; of equal ones, the first.
 *
 * Rows are cut into blocks, and each pair of blocks is multiplied once: the product tells the rows of either block of
 * those of the other. Time grows with n²/2; memory beyond the features and the result is that of one product.
 *
 * @param features float32 [n, d], rows of length 1: then the dot product is the cosine
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function nearestNeighbours(
  features: Tensor<'float32'>,
  context: ProgressOptions & { readonly runtime: Runtime },
  { count: wanted, title }: NeighboursOptions,
): Promise<Neighbours> {
  const [n, d] = features.shape as readonly [number, number];
  const nearest = new NearestLists(n, Math.min(wanted, n - 1));
  const blocks = Math.ceil(n / largestBlock);
  const blockRows = Math.ceil(n / blocks);
  const blockShape = [blockRows, d] as const;
  const program = await context.runtime.compile(
    graph({
      products: matMul(input('rows', 'float32', blockShape), input('columns', 'float32', blockShape), {
        transposeB: true,
      }),
    }),
  );
  /** The last block is filled up with rows of zeros, whose products nobody looks at. */
  const blockAt = (block: number): Tensor<'float32'> => {
    const data = features.data.subarray(block * blockRows * d, (block + 1) * blockRows * d);
    if (data.length === blockRows * d) return tensor('float32', blockShape, data);
    const filled = zeros('float32', blockShape);
    filled.data.set(data);
    return filled;
  };
  try {
    const progress = startProgress(context, title, blockPairs(n));
    const products = zeros('float32', [blockRows, blockRows]);
    let done = 0;
    for (let block = 0; block < blocks; block++) {
      const rows = blockAt(block);
      for (let other = block; other < blocks; other++) {
        await program.run({ rows, columns: other === block ? rows : blockAt(other) }, { products });
        nearest.look(products.data, blockRows, block * blockRows, other * blockRows);
        done++;
        await progress(done, `${done} of ${blockPairs(n)} comparisons`);
      }
    }
  } finally {
    await program.release();
  }
  return nearest;
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
  readonly #rows: number;
  /** What a number must be above to get into a row's list. */
  readonly #least: Float32Array;

  constructor(rows: number, count: number) {
    this.#rows = rows;
    this.count = count;
    this.indices = new Int32Array(rows * count);
    this.similarities = new Float32Array(rows * count).fill(Number.NEGATIVE_INFINITY);
    this.#least = new Float32Array(rows).fill(Number.NEGATIVE_INFINITY);
  }

  /**
   * Look through the products of two blocks of `size` rows, the first of which are rows `top` and `left`, `top ≤ left`.
   * Whoever asks for all pairs in ascending order has each row meet the others in ascending order.
   */
  look(products: Float32Array, size: number, top: number, left: number): void {
    const least = this.#least;
    const bottom = Math.min(top + size, this.#rows);
    const right = Math.min(left + size, this.#rows);
    for (let i = top; i < bottom; i++) {
      // The product of a row with itself is left out, and on the diagonal each pair stands twice.
      const first = top === left ? i + 1 : left;
      const offset = (i - top) * size - left;
      let leastOfRow = least[i]!;
      for (let j = first; j < right; j++) {
        const value = products[offset + j]!;
        // The two comparisons that nearly all numbers end at.
        if (value > least[j]!) this.#insert(j, i, value);
        if (value > leastOfRow) {
          this.#insert(i, j, value);
          leastOfRow = least[i]!;
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
    this.#least[row] = similarities[start + count - 1]!;
  }
}

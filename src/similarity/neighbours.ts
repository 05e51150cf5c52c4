import { graph, input, matMul } from '../graph/index.js';
import { type Listening, passProgress } from '../pass.js';
import type { Runtime } from '../runtime/runtime.js';
import { type Tensor, tensor } from '../tensor/tensor.js';

/** Rows that are compared with all others at a time: a product large enough to be fast, and some 60 MB of results. */
const rowsPerProduct = 256;

/** The nearest rows of each row of a matrix, the nearest first. */
export interface Neighbours {
  /** Per row; fewer than asked for where there are not so many rows. */
  readonly count: number;
  /** [rows · count]. */
  readonly indices: Int32Array;
  /** Cosine, −1 … 1, [rows · count]. */
  readonly similarities: Float32Array;
}

/**
 * For each row the `count` others with the largest dot product, exactly, by comparing all with all. Time grows with
 * n²: 60,000 rows of 392 take half a minute on 2 cores.
 *
 * @param features float32 [n, d], rows of length 1: then the dot product is the cosine
 * @param rowCount of the first rows alone: from their time that for all can be told
 * @throws QuarterturnError `interrupted` when the context's signal says so
 */
export async function nearestNeighbours(
  features: Tensor<'float32'>,
  wanted: number,
  context: Listening & { readonly runtime: Runtime },
  title: string,
  rowCount = features.shape[0]!,
): Promise<Neighbours> {
  const [n, d] = features.shape as readonly [number, number];
  const count = Math.min(wanted, n - 1);
  const indices = new Int32Array(rowCount * count);
  const similarities = new Float32Array(rowCount * count);
  const blockRows = Math.min(rowsPerProduct, rowCount);
  const program = await context.runtime.compile(
    graph({
      products: matMul(input('block', 'float32', [blockRows, d]), input('all', 'float32', [n, d]), {
        transposeB: true,
      }),
    }),
  );
  try {
    const progress = passProgress(context, title, rowCount);
    for (let done = 0; done < rowCount; ) {
      // The last block reaches back over rows that are done already.
      const from = Math.min(done, rowCount - blockRows);
      const block = tensor(
        'float32',
        [blockRows, d],
        features.data.subarray(from * d, (from + blockRows) * d),
      );
      const { products } = await program.run({ block, all: features });
      const rows = products!.data as Float32Array;
      for (let i = done; i < from + blockRows; i++) {
        keepLargest(rows.subarray((i - from) * n, (i - from + 1) * n), i, {
          indices: indices.subarray(i * count, (i + 1) * count),
          similarities: similarities.subarray(i * count, (i + 1) * count),
        });
      }
      done = from + blockRows;
      await progress(done);
    }
  } finally {
    await program.release();
  }
  return { count, indices, similarities };
}

/** Keep the largest numbers of a row but its own, in order: an insertion into a list that few numbers reach. */
function keepLargest(
  row: Float32Array,
  own: number,
  { indices, similarities }: { indices: Int32Array; similarities: Float32Array },
): void {
  const count = indices.length;
  row[own] = Number.NEGATIVE_INFINITY;
  similarities.fill(Number.NEGATIVE_INFINITY);
  let least = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < row.length; j++) {
    const value = row[j]!;
    // The one comparison that nearly all numbers end at.
    if (value <= least) continue;
    let place = count - 1;
    while (place > 0 && similarities[place - 1]! < value) {
      similarities[place] = similarities[place - 1]!;
      indices[place] = indices[place - 1]!;
      place--;
    }
    similarities[place] = value;
    indices[place] = j;
    least = similarities[count - 1]!;
  }
}

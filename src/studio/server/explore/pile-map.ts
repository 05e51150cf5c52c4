import { UMAP } from 'umap-js';
import { Random } from '../../../index.js';

export interface PileMapOptions {
  /** Rows of length 1, float32 [count, dimensions]. */
  readonly features: Float32Array;
  readonly dimensions: number;
  /** 0–1; default: nobody is told. */
  readonly onProgress?: ((progress: number) => void) | undefined;
}

/** Neighbours that an image is kept near to: as many as those that labels are spread over, and some. */
const neighbours = 15;
/** Share of the time that finding neighbours takes. */
const findingShare = 0.3;

/**
 * Rows on a plane, those near to each other that point the same way (McInnes, Healy and Melville 2018, "UMAP"). The same rows give
 * the same map.
 * @returns x and y of each row, 0–1
 */
export async function pileMap({
  features,
  dimensions,
  onProgress = () => {},
}: PileMapOptions): Promise<number[]> {
  const count = features.length / dimensions;
  // Of fewer, there is nothing to keep near to what.
  if (count < 4) return Array.from({ length: count }, (_, i) => [(i + 0.5) / count, 0.5]).flat();
  const random = Random.seeded(0).split('map');
  const rows = Array.from({ length: count }, (_, i) =>
    Array.from(features.subarray(i * dimensions, (i + 1) * dimensions)),
  );
  const umap = new UMAP({
    nNeighbors: Math.min(neighbours, count - 1),
    minDist: 0.1,
    random: () => random.uniform(),
  });
  const epochs = umap.initializeFit(rows);
  onProgress(findingShare);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    onProgress(findingShare + ((1 - findingShare) * (epoch + 1)) / epochs);
    if (epoch % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return within(umap.getEmbedding());
}

/** Both axes at one scale, within the unit square. */
function within(points: readonly (readonly number[])[]): number[] {
  const ends = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis] ?? 0);
    return { low: Math.min(...values), high: Math.max(...values) };
  });
  const longest = Math.max(...ends.map(({ low, high }) => high - low), Number.MIN_VALUE);
  return points.flatMap((point) =>
    ends.map(({ low, high }, axis) => {
      const middle = (low + high) / 2;
      return Math.round(1e4 * (0.5 + ((point[axis] ?? 0) - middle) / longest)) / 1e4;
    }),
  );
}

import { type ImageSource, readRange } from '../data/image-source.js';
import { thumbnailGradients } from '../features/thumbnail-gradients.js';
import { inChunks, type ProgressOptions, startProgress } from '../progress.js';
import { nearPairs } from '../similarity/near-pairs.js';
import { tensor } from '../tensor/tensor.js';

/** Images that show nearly the same: two or more, by their index in the source, ascending. */
export type NearDuplicates = readonly number[];

export interface NearDuplicateOptions extends ProgressOptions {}

/** Boxes a side that all images are compared at, and those that look alike there once more. */
const sides = { coarse: 16, fine: 32 } as const;
/**
 * The least cosine of both. CIFAR-10's test photographs as JPEGs of quality 50, or a sixth lighter, have 0.97 or more with
 * themselves at the coarse side 95 times in 100, and 0.89 at the fine one; of 12 million pairs of other ones 2 have 0.95.
 */
const minCosines = { coarse: 0.95, fine: 0.9 } as const;
/** Bytes of images that are read at once. */
const bytesAtATime = 2 ** 21;
/** Pairs that are looked at once more: where there are so many, nothing is gained by knowing them all. */
const maxPairs = 50_000;

/**
 * Find images that show nearly the same: a picture that was saved again, shrunk, or made lighter, and the next one of a burst
 * where nothing moved. One that was cut, shifted or turned is not found.
 *
 * All images are compared at 16 × 16 by {@link nearPairs}, and the pairs that look alike there at 32 × 32. Images whose pixels
 * are the same should come once. 100,000 images of 64 × 64 take half a minute on 2 cores, and 200 MB.
 *
 * @returns groups in the order of their first images; an image is in one at most
 * @throws QuarterturnError `interrupted` when the signal says so
 */
export async function findNearDuplicates(
  source: ImageSource,
  options: NearDuplicateOptions = {},
): Promise<NearDuplicates[]> {
  const { count, height, width, channels } = source;
  const atATime = Math.max(1, Math.floor(bytesAtATime / (height * width * channels)));
  const describing = startProgress(options, 'images looked at', count);
  let rows: Float32Array<ArrayBuffer> | undefined;
  await inChunks(
    count,
    atATime,
    async (from, to) => {
      const { data } = thumbnailGradients(await readRange(source, from, to), sides.coarse);
      rows ??= new Float32Array((data.length / (to - from)) * count);
      rows.set(data, (data.length / (to - from)) * from);
    },
    describing,
  );
  if (rows === undefined) return [];
  const coarse = tensor('float32', [count, rows.length / count], rows);
  const alike = await nearPairs(coarse, {
    ...options,
    minCosine: minCosines.coarse,
    title: 'images compared',
  });
  const leaders = new Map<number, number>();
  const leaderOf = (image: number): number => {
    const leader = leaders.get(image) ?? image;
    return leader === image ? image : leaderOf(leader);
  };
  // The likest first: where there are too many, those are known.
  const pairs = alike.sort((a, b) => b.cosine - a.cosine).slice(0, maxPairs);
  const checking = startProgress(options, 'pairs compared', pairs.length);
  const pairsAtATime = Math.max(1, Math.floor(atATime / 2));
  await inChunks(
    pairs.length,
    pairsAtATime,
    async (from, to) => {
      const some = pairs.slice(from, to);
      const { data, shape } = thumbnailGradients(
        await source.read(some.flatMap(({ a, b }) => [a, b])),
        sides.fine,
      );
      const length = shape[1] ?? 0;
      for (const [i, { a, b }] of some.entries()) {
        let cosine = 0;
        for (let at = 2 * i * length; at < (2 * i + 1) * length; at++)
          cosine += data[at]! * data[at + length]!;
        if (cosine < minCosines.fine) continue;
        const [first, second] = [leaderOf(a), leaderOf(b)];
        leaders.set(Math.max(first, second), Math.min(first, second));
      }
    },
    checking,
  );
  return groupsOf([...leaders.keys()], leaderOf);
}

function groupsOf(images: readonly number[], leaderOf: (image: number) => number): NearDuplicates[] {
  const groups = new Map<number, number[]>();
  for (const image of images.toSorted((a, b) => a - b)) {
    const leader = leaderOf(image);
    if (image === leader) continue;
    const group = groups.get(leader);
    if (group === undefined) groups.set(leader, [leader, image]);
    else group.push(image);
  }
  return [...groups.values()].sort(([a = 0], [b = 0]) => a - b);
}

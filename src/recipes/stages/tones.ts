import { toneChanges } from '../../data/augmentation-policy.js';
import { selectImages } from '../../data/image-source.js';
import { changeTones } from '../../data/pixel-changes.js';
import { cellMeans } from '../../features/cell-means.js';
import type { Random } from '../../random/random.js';
import { isClosed, nearestOther, type Rows } from '../../similarity/closure.js';
import type { Invariance } from '../../store/invariance.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { RecipeContext } from '../context.js';
import { knownRows } from '../pile-graph.js';
import { isBetterForCertain, scoreOfEach } from './choice.js';
import type { ComparisonSample } from './sample.js';

/** Images that are changed to ask the pile: a share of them is told to within 3 points. */
const askedImages = 1000;

/**
 * Finds out whether images keep their class in other tones, lighter or darker, with more contrast or less. The pile says it first, without
 * any label: where light varies, another image is as near to a changed image as to the image as it is, for half of them; scans and
 * drawings on an even ground leave their pile. Labels have to agree, since classes may differ in nothing else: the labelled image that
 * is nearest must not be of the same class less often, by more than two standard errors. Images are compared by the means of 8×8
 * cells, which are tones and hardly any shape.
 *
 * @param random of this question alone
 * @returns that it does not hold where no class has two labels
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function judgeTones(
  context: Pick<RecipeContext, 'data' | 'signal'>,
  { images, known }: ComparisonSample,
  random: Random,
): Promise<Invariance> {
  const sample = selectImages(context.data.train.images, images);
  const everyImage = Array.from(images.keys());
  const pixels = await sample.read(everyImage);
  const rows = rowsOf(cellMeans(pixels));
  changeEach(pixels, random.split('change'));
  const changed = rowsOf(cellMeans(pixels));

  const asked = random.split('asked').shuffle(everyImage).slice(0, askedImages);
  let closeBy = 0;
  for (const row of asked) {
    const own = nearestOther(rowAt(rows, row), rows, row, everyImage).squared;
    if (nearestOther(rowAt(changed, row), rows, row, everyImage).squared <= own) closeBy++;
    context.signal?.throwIfAborted();
  }
  const share = asked.length === 0 ? 0 : closeBy / asked.length;
  const refused = { change: 'tones', holds: false, share, labels: null } as const;
  if (!isClosed(share)) return { ...refused, reason: 'pile' };

  const labelled = knownRows(images, known.indices);
  const classOf = new Map(labelled.map((row, i) => [row, known.classes[i]]));
  const judged = labelled.filter((row) =>
    labelled.some((other) => other !== row && classOf.get(other) === classOf.get(row)),
  );
  if (judged.length === 0) return { ...refused, reason: 'unconfirmed' };
  const scoreOf = (from: Rows) =>
    scoreOfEach(
      judged.map(
        (row) => classOf.get(nearestOther(rowAt(from, row), rows, row, labelled).row) === classOf.get(row),
      ),
    );
  const [before, after] = [scoreOf(rows), scoreOf(changed)];
  return {
    ...{ change: 'tones', holds: !isBetterForCertain(before, after), share, reason: 'labels' },
    labels: { asTheyAre: before.found, changed: after.found, of: after.of },
  };
}

/** Changes tones as far as they ever are, one way or the other: smaller changes tell less. */
function changeEach({ shape: [count = 0], data }: Tensor<'uint8'>, random: Random): void {
  const size = data.length / count;
  const either = (most: number) => (random.uniform() < 0.5 ? -most : most);
  for (let n = 0; n < count; n++) {
    changeTones(data, n * size, size, either(toneChanges.contrast), either(toneChanges.brightness));
  }
}

function rowsOf({ shape: [, length = 0], data }: ReturnType<typeof cellMeans>): Rows {
  return { data, length };
}

function rowAt({ data, length }: Rows, row: number): Float32Array {
  return data.subarray(row * length, (row + 1) * length);
}

import { randomFor } from '../context.js';
import { type LabelContext, labelledImages, labelledIndices } from '../labels.js';
import { filledUp } from '../pile-graph.js';

/** Images on which ways to compare images are tried, the labelled ones among them: half a second's work or a second's for each. */
export const comparisonSampleSize = 3000;

/** Labels that are compared by, at most: of more, 300 are held back (see `heldBackSplits`), which tell 3 points. */
const mostLabels = 1500;

export interface ComparisonSample {
  /** Indices into the training set, ascending. */
  readonly images: Uint32Array;
  readonly known: { readonly indices: Uint32Array; readonly classes: Int32Array };
}

/** Labelled images of a draw, and as many of the others as there is room for. */
export function comparisonSample(context: LabelContext, draw: number): ComparisonSample {
  const random = randomFor(context, 'description', draw);
  const all = labelledIndices(context, draw);
  const { labels = new Int32Array() } = labelledImages(context, draw);
  const positions = Array.from(all.keys());
  const used =
    positions.length > mostLabels
      ? random.split('labels').shuffle(positions).slice(0, mostLabels)
      : positions;
  const indices = Uint32Array.from(used, (position) => all[position] ?? 0);
  const { count } = context.data.train.images;
  const images = filledUp(indices, { count, size: comparisonSampleSize, random: random.split('pile') });
  const classes = Int32Array.from(used, (position) => labels[position] ?? 0);
  return { images, known: { indices, classes } };
}

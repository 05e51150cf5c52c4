import type { ClassSaid } from './inquiry.js';

export interface DisagreementOptions {
  /** Rows of length 1, float32 [images, dimensions]: how a network describes images. */
  readonly features: Float32Array;
  readonly dimensions: number;
  /** What each of them is labelled as, by number; −1 for one without a label. */
  readonly labels: readonly number[];
  /** What the network takes each of them for. */
  readonly said: readonly { readonly class: number; readonly probability: number }[];
  readonly classNames: readonly string[];
  /** At most. */
  readonly count: number;
}

/** An image of which a network says one thing, and the labelled images that look most like it to that network another. */
export interface Disagreement {
  /** Row of the features. */
  readonly row: number;
  readonly network: ClassSaid;
  /** Its probability is the share of them. */
  readonly neighbours: ClassSaid;
}

/** Labelled images that are asked: so few that all of them are near, so many that one wrong label decides nothing. */
const asked = 5;
/** Share of them that has to say the same: three of five. */
const leastShare = 0.6;

/** Images without a label, those first of which both sides are surest. */
export function disagreements({
  features,
  dimensions,
  labels,
  said,
  classNames,
  count,
}: DisagreementOptions): Disagreement[] {
  const labelled = Array.from(labels.keys()).filter((row) => (labels[row] ?? -1) >= 0);
  if (labelled.length < asked) return [];
  const found: Disagreement[] = [];
  for (const [row, own] of said.entries()) {
    if ((labels[row] ?? -1) >= 0) continue;
    const votes = new Map<number, number>();
    for (const near of nearest(row, labelled, { features, dimensions })) {
      const label = labels[near] ?? -1;
      votes.set(label, (votes.get(label) ?? 0) + 1 / asked);
    }
    const [most = -1, share = 0] = [...votes].sort(([, a], [, b]) => b - a)[0] ?? [];
    if (most === own.class || share < leastShare) continue;
    found.push({
      row,
      network: { name: classNames[own.class] ?? '', probability: own.probability },
      neighbours: { name: classNames[most] ?? '', probability: share },
    });
  }
  const sureness = ({ network, neighbours }: Disagreement): number =>
    network.probability * neighbours.probability;
  return found.sort((a, b) => sureness(b) - sureness(a)).slice(0, count);
}

function nearest(
  row: number,
  labelled: readonly number[],
  { features, dimensions }: Pick<DisagreementOptions, 'features' | 'dimensions'>,
): number[] {
  const near: { readonly row: number; readonly likeness: number }[] = [];
  for (const other of labelled) {
    let likeness = 0;
    for (let d = 0; d < dimensions; d++) {
      likeness += (features[row * dimensions + d] ?? 0) * (features[other * dimensions + d] ?? 0);
    }
    if (near.length === asked && likeness <= (near.at(-1)?.likeness ?? 0)) continue;
    const place = near.findIndex((each) => each.likeness < likeness);
    near.splice(place < 0 ? near.length : place, 0, { row: other, likeness });
    near.length = Math.min(near.length, asked);
  }
  return near.map((each) => each.row);
}

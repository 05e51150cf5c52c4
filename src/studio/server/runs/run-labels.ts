import { QuarterturnError } from '../../../errors.js';
import type { GivenLabels } from '../../../labels/given-labels.js';
import type { LabelState } from '../../project/label-state.js';
import type { KnownRun } from './known-run.js';

/** The labels of a project at some moment. */
export interface LabelsNow {
  /** Number of the journal's last event. */
  readonly seq: number;
  readonly classes: readonly { readonly id: string; readonly name: string }[];
  /** Images of the pile that have a class, in the pile's order: index in the pile, hash, id of the class. */
  readonly images: readonly (readonly [index: number, image: string, classId: string])[];
  /** Id of an image's class; undefined where it has none. */
  classOf(image: string): string | undefined;
}

/** The labels of a state. */
export function labelsNow(state: LabelState, images: LabelsNow['images']): LabelsNow {
  const classOf = (image: string): string | undefined => {
    const label = state.labelOf(image);
    // A mark is no class.
    return label === 'skipped' || label === 'unsure' ? undefined : label;
  };
  return { seq: state.seq, classes: state.classes, images, classOf };
}

/**
 * The labels as a run takes them: with their own classes, those that have an image.
 * @throws QuarterturnError `data` where fewer than two classes have one
 */
export function givenLabels({ classes, images, seq }: LabelsNow): {
  readonly labels: GivenLabels;
  readonly classes: readonly string[];
  readonly seq: number;
} {
  const used = new Set(images.map(([, , classId]) => classId));
  const known = classes.filter(({ id }) => used.has(id));
  if (known.length < 2) {
    const received = known[0] ? `labels of ${JSON.stringify(known[0].name)} alone` : 'none';
    throw new QuarterturnError(
      'data',
      `labels: expected some of at least two classes. Received: ${received}.`,
      {
        hint: 'A classifier tells classes apart: label some images of each. Ten of each class are a good start.',
      },
    );
  }
  const nameOf = new Map(known.map(({ id, name }) => [id, name]));
  return {
    labels: {
      data: null,
      classNames: known.map(({ name }) => name),
      images: images.map(([index, image, classId]) => ({ image, index, label: nameOf.get(classId) ?? '' })),
    },
    classes: known.map(({ id }) => id),
    seq,
  };
}

/** How many images have another label now than the one that was learned; those that were learned without one among them. */
export function changedSince(learned: KnownRun['learned'], labels: LabelsNow): number {
  const idOf = new Map(labels.classes.map(({ id, name }) => [name, id]));
  let changed = 0;
  for (const [image, { id, name }] of learned) {
    if (labels.classOf(image) !== (id ?? idOf.get(name))) changed++;
  }
  for (const [, image] of labels.images) if (!learned.has(image)) changed++;
  return changed;
}

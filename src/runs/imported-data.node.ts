import { byCount, countOf } from '../counts.js';
import type { DataSource, ImageDataset } from '../data/dataset.js';
import { selectImages } from '../data/image-source.js';
import type { ImportedImage, ImportedImages } from '../data/import-images.node.js';
import { noClass } from '../data/label-values.js';
import { firstNames } from '../data/name-list.js';
import { listedNames } from '../data/readers/class-names.js';
import { QuarterturnError } from '../errors.js';

/** Imported images as training takes them; what tells the data from other data is not known here. */
export type ImportedData = Omit<DataSource, 'checksums'> & {
  readonly notes: readonly string[];
  /** The images of each part, in its order. */
  /** Test images without a label, or of a class that cannot be learned: they are in no part. */
  readonly untested: number;
  readonly parts: { readonly train: readonly ImportedImage[]; readonly test: readonly ImportedImage[] };
};

/**
 * Imported images as a training set and, where one was given, a test set.
 *
 * `val` is learned from as `train` is: which classifier is kept, labels decide that every run holds back by itself. Classes
 * are those that have a training image, in natural order; those of a pile without any label are the test set's. Test images
 * without a label, or of a class that cannot be learned, are left out, which a note says.
 *
 * @param name what to call the data, e.g. `photos`
 * @throws QuarterturnError `data` where there is no image to learn from
 */
export function dataOfImported(imported: ImportedImages, name: string): ImportedData {
  const { images, origin } = imported;
  const learned = images.filter(({ split }) => split !== 'test');
  const tests = images.filter(({ split }) => split === 'test');
  if (learned.length === 0) {
    const copied = imported.duplicates.some(({ splits }) => splits.some((split) => split !== 'test'));
    const received =
      tests.length === 0
        ? 'none'
        : `${countOf(tests.length, 'image')}, all to test with${copied ? ', and copies of these to learn from' : ''}`;
    throw new QuarterturnError('data', `${origin}: expected images to learn from. Received: ${received}.`, {
      hint: copied
        ? 'A picture that is in both parts is tested with and never learned from: take them out of one part.'
        : 'Rename the folder that says test, or add one with images to train on.',
    });
  }
  const labelled = learned.filter(({ label }) => label !== undefined);
  const known = new Set((labelled.length > 0 ? labelled : tests).map(({ label }) => label));
  const classNames = imported.classNames.filter((className) => known.has(className));
  const numbers = new Map(classNames.map((className, k): [string | undefined, number] => [className, k]));
  const tested = tests.filter(({ label }) => numbers.has(label));

  const datasetOf = (part: string, chosen: readonly ImportedImage[]): ImageDataset => {
    const hasLabels = chosen.some(({ label }) => label !== undefined);
    const labels = Int32Array.from(chosen, ({ label }) => numbers.get(label) ?? noClass);
    const rows = Uint32Array.from(chosen, ({ row }) => row);
    const source = selectImages(imported.source, rows, { name: `${name} ${part}` });
    const fileOf = (index: number) => chosen[index]?.name;
    return { images: source, ...(hasLabels && { labels }), classNames, fileOf };
  };
  return {
    train: datasetOf('train', learned),
    ...(tested.length > 0 && { test: datasetOf('test', tested) }),
    origin,
    isPartlyLabelled: labelled.length > 0 && labelled.length < learned.length,
    notes: [
      ...valNotes(learned),
      ...classNotes(imported.classNames.filter((className) => !known.has(className))),
      ...sizeNotes(classNames, { labelled, tested }),
      ...untestedNotes(tests, numbers),
    ],
    untested: tests.length - tested.length,
    parts: { train: learned, test: tested },
  };
}

function valNotes(learned: readonly ImportedImage[]): string[] {
  const count = learned.filter(({ split }) => split === 'val').length;
  if (count === 0) return [];
  return [
    `The ${countOf(count, 'image')} of the part for validation ${byCount(count, 'is', 'are')} learned from as well: a run holds labels back by itself.`,
  ];
}

function classNotes(dropped: readonly string[]): string[] {
  if (dropped.length === 0) return [];
  const them = byCount(dropped.length, 'it is', 'they are');
  return [
    `${countOf(dropped.length, 'class')} ${byCount(dropped.length, 'has', 'have')} no image to learn from (${listedNames(dropped)}): ${them} left out.`,
  ];
}

/** Classes of which too few are there to be held back, or none to test with. */
function sizeNotes(
  classNames: readonly string[],
  { labelled, tested }: Record<'labelled' | 'tested', readonly ImportedImage[]>,
): string[] {
  const counts = new Map<string | undefined, number>();
  for (const { label } of labelled) counts.set(label, (counts.get(label) ?? 0) + 1);
  const single = classNames.filter((className) => counts.get(className) === 1);
  const inTests = new Set(tested.map(({ label }) => label));
  const untested = tested.length === 0 ? [] : classNames.filter((className) => !inTests.has(className));
  const note = (names: readonly string[], one: string, many: string): string[] =>
    names.length === 0
      ? []
      : [`${countOf(names.length, 'class')} ${byCount(names.length, one, many)} (${listedNames(names)}).`];
  return [
    ...note(
      single,
      'has a single image to learn from, which cannot be held back for a check',
      'have a single image to learn from, which cannot be held back for a check',
    ),
    ...note(untested, 'has no image to test with', 'have no image to test with'),
  ];
}

function untestedNotes(
  tests: readonly ImportedImage[],
  numbers: ReadonlyMap<string | undefined, number>,
): string[] {
  const unlabelled = tests.filter(({ label }) => label === undefined);
  const unknown = tests.filter(({ label }) => label !== undefined && !numbers.has(label));
  const note = (left: readonly ImportedImage[], one: string, many: string): string[] =>
    left.length === 0
      ? []
      : [
          `${countOf(left.length, 'test image')} ${byCount(left.length, `${one} and is`, `${many} and are`)} left out (${firstNames(left.map(({ name }) => name))}).`,
        ];
  return [
    ...note(unlabelled, 'has no label', 'have no label'),
    ...note(
      unknown,
      'is of a class that has no image to learn from',
      'are of a class that has no image to learn from',
    ),
  ];
}

import { firstNames } from '../data/name-list.js';
import { describeSkipped } from '../data/skipped-files.js';
import { countOf, formatCount, formatPercent } from '../report/format.js';
import { hanging } from '../report/text-width.js';
import type { Inspection } from './inspection.js';
import { printable, shownPath } from './paths.js';

/** Classes that are listed one by one; of more, the smallest and the largest are. */
const listedClasses = 30;
/** Below this share, a quarter being chance, turns cannot be told; `recipes/turning-probe.ts` has figures. */
const tellsNothing = 0.35;

const labelWidth = 10;

/**
 * What data was understood to be, for people.
 * @param columns width that lines are broken at; infinite where nobody reads them on a terminal
 */
export function formatInspection(found: Inspection, columns = Number.POSITIVE_INFINITY): string {
  const { data, images, pictures, notes, skipped, oneColour } = found;
  const kind = images.channels === 1 ? 'grey' : 'colour';
  const rows: [label: string, text: string][] = [
    ['Data', shownPath(data)],
    ['Images', imagesText(found)],
    ['Size', images.why ?? `${images.height}×${images.width} in ${kind}`],
    ...(pictures ? [['Pictures', picturesText(pictures)] as [string, string]] : []),
    ['Copies', copiesText(found)],
    ['Alike', alikeText(found)],
    ['Blank', oneColour.length === 0 ? 'no image is of one colour' : blankText(oneColour)],
    ['Turning', turningText(found)],
  ];
  const line = ([label, text]: [string, string]): string =>
    hanging(label, printable(text), { columns, indent: labelWidth });
  return [
    ...rows.map(line),
    '',
    ...classLines(found, columns),
    ...(notes.length > 0
      ? ['', ...notes.map((text) => hanging('', printable(text), { columns, indent: 0 }))]
      : []),
    ...(skipped.length > 0 ? ['', ...describeSkipped(skipped).map((text) => line(['Set aside', text]))] : []),
  ].join('\n');
}

function imagesText({ parts: { train, val, test } }: Inspection): string {
  const learned = val.count === 0 ? '' : ` (${formatCount(val.count)} of them from a part for validation)`;
  const unlabelled = train.unlabelled + val.unlabelled;
  const without =
    unlabelled === 0
      ? ''
      : unlabelled === train.count + val.count
        ? ', none of them labelled'
        : `, ${formatCount(unlabelled)} of them without a label`;
  const tested = test.count === 0 ? 'no test set' : `${formatCount(test.count)} to test with`;
  return `${formatCount(train.count + val.count)} to learn from${learned}${without}; ${tested}`;
}

function picturesText({ different, commonest, shorterSides }: NonNullable<Inspection['pictures']>): string {
  const [first] = commonest;
  if (first === undefined) return 'none';
  const size = `${first.width}×${first.height}`;
  if (different === 1) return `all of ${size} pixels (width × height)`;
  const { smallest, median, largest } = shorterSides;
  return `${formatCount(different)} sizes, the commonest ${size} (${countOf(first.count, 'picture')}, width × height); shorter sides from ${smallest} to ${largest} pixels, ${median} in the median`;
}

function copiesText({ duplicates }: Inspection): string {
  if (duplicates.length === 0) return 'no picture comes more than once';
  return `${countOf(duplicates.length, 'picture comes', 'pictures come')} more than once${ofThem(duplicates)}`;
}

function alikeText({ nearDuplicates, lookAlikes }: Inspection): string {
  const images = nearDuplicates.reduce((sum, { files }) => sum + files.length, 0);
  const examples = nearDuplicates
    .toSorted(
      (a, b) =>
        b.splits.length - a.splits.length || Number(b.labels.length > 1) - Number(a.labels.length > 1),
    )
    .map(({ files }) => {
      const more = files.length > 2 ? ` and ${formatCount(files.length - 2)} more` : '';
      return files.slice(0, 2).join(' ~ ') + more;
    });
  const near =
    images === 0
      ? 'no other images look nearly the same'
      : `${countOf(images, 'image')} in ${countOf(nearDuplicates.length, 'group')} look nearly the same${ofThem(nearDuplicates)} (${firstNames(examples)})`;
  if (lookAlikes.length === 0) return near;
  const many = lookAlikes.reduce((sum, count) => sum + count, 0);
  return `${near}; ${formatCount(many)} more look alike in groups of over ten, as pictures of one kind may`;
}

/** Where groups of the same pictures do harm. */
function ofThem(groups: Inspection['nearDuplicates']): string {
  const across = groups.filter((group) => group.splits.length > 1).length;
  const contradicting = groups.filter((group) => group.labels.length > 1).length;
  const some = (count: number, what: string): string => {
    if (count === 0) return '';
    return groups.length === 1 ? `, ${what}` : `, ${formatCount(count)} of them ${what}`;
  };
  return some(across, 'across parts') + some(contradicting, 'with several labels');
}

function blankText(names: readonly string[]): string {
  return `${countOf(names.length, 'image is', 'images are')} of one colour (${firstNames(names)})`;
}

function turningText({ turning, images }: Inspection): string {
  if (turning === null) {
    return images.height === images.width
      ? 'too few images to say whether they have an up'
      : 'images that are not square cannot be learned from turns';
  }
  const told = `edges alone tell how an image was turned ${formatPercent(turning.accuracy, 0)} of the time (25 % by chance)`;
  return turning.accuracy >= tellsNothing
    ? told
    : `${told}. These pictures seem to have no up: learning from turned images may teach little about them`;
}

function classLines({ classes, parts }: Inspection, columns: number): string[] {
  if (classes.length === 0) return ['There are no classes: no image has a label.'];
  const shownParts = (['train', 'val', 'test'] as const).filter(
    (part) => part === 'train' || parts[part].count > 0,
  );
  const isLong = classes.length > listedClasses;
  const half = listedClasses / 2;
  const bySize = classes.toSorted((a, b) => a.train + a.val - b.train - b.val);
  const shown = isLong ? [...bySize.slice(0, half), ...bySize.slice(-half)] : classes;
  const indent = 9 * shownParts.length;
  const row = (counts: readonly string[], name: string): string =>
    hanging(counts.map((text) => text.padStart(9)).join(''), name, { columns, indent: indent + 2 });
  const lines = shown.map((each) =>
    row(
      shownParts.map((part) => formatCount(each[part])),
      printable(each.name),
    ),
  );
  const more = isLong
    ? [
        hanging('', `The ${half} smallest and the ${half} largest of ${countOf(classes.length, 'class')}.`, {
          columns,
          indent: 0,
        }),
      ]
    : [];
  return [row(shownParts, 'class'), ...lines, ...more];
}

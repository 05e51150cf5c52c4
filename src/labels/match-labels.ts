import { byCount, countOf, formatCount } from '../counts.js';
import { nearestName } from '../data/nearest-name.js';
import { inNaturalOrder } from '../data/readers/class-names.js';
import type { FoundImage } from '../data/readers/found-images.js';
import { QuarterturnError } from '../errors.js';
import { FilePlaces, type Place } from './file-places.js';
import type { LabelRow } from './label-rows.js';
import type { LabelTable } from './label-table.js';
import { listedColumns } from './table-columns.js';

/** A row of a table whose file is not there. */
export interface MissingRow {
  readonly row: LabelRow;
  readonly reason: 'no such file' | 'several such files' | 'outside the folder' | 'an address';
  /** Of the first few: the name of an image that is spelled most alike. */
  readonly nearest?: string;
}

/** Labels that a table gives the images of a source. */
export interface MatchedLabels {
  /** As the source gives them and in its order, with the table's labels; all others of training have none. */
  readonly images: readonly FoundImage[];
  /** Of all labels among them, in natural order (2 before 10). */
  readonly classNames: readonly string[];
  /** Images that the table gives a label. */
  readonly labelledCount: number;
  /** Rows that name no image, in the table's order. */
  readonly missing: readonly MissingRow[];
  /** Notes for a person, one sentence each. */
  readonly notes: readonly string[];
}

/** Rows that are named in a message, and for which the nearest name is looked for. */
const listedRows = 10;
/** Edits within which a name may be meant, and names that are compared at most: more would take minutes. */
const nearestEdits = 4;
const maxCompared = 20_000;

/**
 * Give the images of a source the labels of a table.
 *
 * The table says what is labelled: an image of training that it does not name belongs to the pile, whatever its folder is
 * called, and a label of the table wins over a folder's. Images of validation and test that it does not name keep theirs,
 * since nothing is learned from those. A row finds its image by the whole path; failing that, where only one image can be
 * meant, by the path within another folder, in other case, without extension. A row can name nothing but images that the
 * source has: a path that leads out of the folder finds none.
 *
 * @throws QuarterturnError `data` if the same image is given two labels, naming both lines, and where no row names any
 *   image
 */
export function matchLabels(table: LabelTable, images: readonly FoundImage[]): MatchedLabels {
  const places = new FilePlaces(images.map(({ name }) => name));
  const found = places.find(table.rows.map(({ file }) => file));
  const missing = table.rows.flatMap((row, i): MissingRow[] => {
    const place = found[i];
    return place === undefined || place.index === undefined
      ? [{ row, reason: place?.reason ?? 'no such file' }]
      : [];
  });
  const withNearest = missing.map((each, i) =>
    i < listedRows ? { ...each, ...nearestTo(each.row, images) } : each,
  );
  if (missing.length === table.rows.length) throw noneMatched(table, withNearest);

  const rowOf = rowsByImage(table, images, found);
  const matched = images.map((image, i) => labelled(image, rowOf.get(i)));
  const labels = new Set(matched.flatMap(({ label }) => (label === undefined ? [] : [label])));
  return {
    images: matched,
    classNames: inNaturalOrder(labels),
    labelledCount: [...rowOf.values()].filter(({ label }) => label !== undefined).length,
    missing: withNearest,
    notes: [
      ...looseNotes(table, images, found),
      ...missingNotes(table, withNearest),
      ...overruledNotes(table, images, rowOf),
      ...repeatedNotes(table, found, rowOf.size),
    ],
  };
}

/** An image under the label of its row; without a row, what it is besides. */
function labelled(image: FoundImage, row: LabelRow | undefined): FoundImage {
  const isLearned = image.split === undefined || image.split === 'train';
  if (row === undefined && !isLearned) return image;
  if (row?.label === image.label) return image;
  const { name, split, stamp } = image;
  return {
    name,
    ...(row?.label !== undefined && { label: row.label }),
    ...(split !== undefined && { split }),
    ...(stamp !== undefined && { stamp }),
    read: () => image.read(),
  };
}

/** The row of each image that has one; of several, one with a label. */
function rowsByImage(
  table: LabelTable,
  images: readonly FoundImage[],
  found: readonly Place[],
): ReadonlyMap<number, LabelRow> {
  const rowOf = new Map<number, LabelRow>();
  const conflicts: string[] = [];
  for (const [i, row] of table.rows.entries()) {
    const index = found[i]?.index;
    if (index === undefined) continue;
    const before = rowOf.get(index);
    if (before?.label !== undefined && row.label !== undefined && before.label !== row.label) {
      const { unit } = table.sniffed;
      conflicts.push(
        `${images[index]?.name} is ${quoted(before.label)} in ${unit} ${before.at} and ${quoted(row.label)} in ${unit} ${row.at}`,
      );
    }
    if (before?.label === undefined) rowOf.set(index, row);
  }
  if (conflicts.length === 0) return rowOf;
  throw new QuarterturnError(
    'data',
    `${table.name}: expected one label for each image. Received: ${listed(conflicts, '; ')}.`,
    { hint: 'Delete the wrong one of each.' },
  );
}

function nearestTo({ file }: LabelRow, images: readonly FoundImage[]): { nearest?: string } {
  const base = baseOf(file);
  const near: string[] = [];
  for (const { name } of images) {
    if (Math.abs(baseOf(name).length - base.length) > nearestEdits) continue;
    near.push(name);
    if (near.length === maxCompared) break;
  }
  const nearest = nearestName(base, near.map(baseOf), nearestEdits);
  const name = near.find((each) => baseOf(each) === nearest);
  return name === undefined ? {} : { nearest: name };
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Why people would see fewer labels than they wrote down. */
function missingNotes(table: LabelTable, missing: readonly MissingRow[]): string[] {
  if (missing.length === 0) return [];
  return [
    `${countOf(missing.length, 'row')} of ${table.name} ${byCount(missing.length, 'finds', 'find')} no image: ${described(table, missing)}.`,
  ];
}

function noneMatched(table: LabelTable, missing: readonly MissingRow[]): QuarterturnError {
  return new QuarterturnError(
    'data',
    `${table.name}: expected names of images that are there. Received: none in ${countOf(missing.length, 'row')}: ${described(table, missing)}.`,
    { hint: `Write each path as it is within the folder of the images.${otherColumns(table)}` },
  );
}

/** Other columns that may hold the files; nothing where the labels are the only other. */
function otherColumns({ columns: { file, label, names } }: LabelTable): string {
  const others = names.filter((_, i) => i !== file && i !== label);
  if (others.length === 0) return '';
  return ` Files were read from the column ${listedColumns([names[file] ?? ''])}. Is another one meant, of ${listedColumns(others)}? --label-columns file=<column> names it.`;
}

function described(table: LabelTable, missing: readonly MissingRow[]): string {
  const each = missing.map(({ row, reason, nearest }) => {
    const why = reason === 'no such file' ? '' : `, ${reason}`;
    const meant = nearest === undefined ? '' : `, is ${quoted(nearest)} meant?`;
    return `${quoted(row.file)} (${table.sniffed.unit} ${row.at}${why}${meant})`;
  });
  return listed(each, ', ');
}

const manners = {
  folder: 'by the path within another folder',
  case: 'in other upper and lower case',
  extension: 'without the extension',
} as const;

function looseNotes(table: LabelTable, images: readonly FoundImage[], found: readonly Place[]): string[] {
  return Object.entries(manners).flatMap(([manner, words]) => {
    const rows = found.flatMap((place, i) => (place.manner === manner ? [i] : []));
    const [first] = rows;
    if (first === undefined) return [];
    const index = found[first]?.index ?? 0;
    return [
      `${countOf(rows.length, 'row')} of ${table.name} ${byCount(rows.length, 'names its image', 'name their images')} ${words} (${quoted(table.rows[first]?.file ?? '')} is ${quoted(images[index]?.name ?? '')}).`,
    ];
  });
}

/** Where the source says something else than the table. */
function overruledNotes(
  table: LabelTable,
  images: readonly FoundImage[],
  rowOf: ReadonlyMap<number, LabelRow>,
): string[] {
  const others: string[] = [];
  let [unnamed, kept, pile] = [0, 0, 0];
  for (const [i, { name, label, split }] of images.entries()) {
    const row = rowOf.get(i);
    const isLearned = split === undefined || split === 'train';
    if (row && label !== undefined && row.label !== label) {
      others.push(`${name}: ${quoted(row.label ?? '')} for ${quoted(label)}`);
    }
    if (row) continue;
    if (isLearned) pile++;
    if (label !== undefined && isLearned) unnamed++;
    if (label !== undefined && !isLearned) kept++;
  }
  return [
    ...(others.length > 0
      ? [
          `${countOf(others.length, 'label')} of ${table.name} ${byCount(others.length, "differs from the source's own and is", "differ from the source's own and are")} taken (${listed(others.slice(0, 3), '; ')}${others.length > 3 ? '; …' : ''}).`,
        ]
      : []),
    ...(pile > 0
      ? [
          `Images that ${table.name} does not name belong to the pile${unnamed > 0 ? `; ${countOf(unnamed, 'label')} of the source ${byCount(unnamed, 'is', 'are')} not used` : ''}.`,
        ]
      : []),
    ...(kept > 0
      ? [
          `${countOf(kept, 'image')} of validation and test that ${table.name} does not name ${byCount(kept, 'keeps its label', 'keep their labels')}.`,
        ]
      : []),
  ];
}

function repeatedNotes(table: LabelTable, found: readonly Place[], named: number): string[] {
  const repeated = found.filter(({ index }) => index !== undefined).length - named;
  if (repeated === 0) return [];
  return [
    `${countOf(repeated, 'row')} of ${table.name} ${byCount(repeated, 'names an image', 'name images')} again, without another label.`,
  ];
}

function listed(items: readonly string[], separator: string): string {
  const more = items.length > listedRows ? ` and ${formatCount(items.length - listedRows)} more` : '';
  return `${items.slice(0, listedRows).join(separator)}${more}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

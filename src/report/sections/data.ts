import type { LeftOut } from '../../data/left-out.js';
import { skippedName } from '../../data/skipped-files.js';
import type { Exhibits } from '../../store/exhibits-record.js';
import type { RunRecord } from '../../store/run-record.js';
import { className } from '../class-name.js';
import { byCount, countOf, formatCount } from '../format.js';
import { type Content, type Html, html } from '../html.js';
import { isPretrainingAlone } from '../run-facts.js';
import { section } from '../section.js';

/** Classes of which a reader takes in every one; of more, the smallest and the largest are shown, all when asked for. */
const shownClasses = 30;
const shownEnds = 10;

type ClassCounts = Exhibits['classCounts'];

/** What the images were, how many of each class, and how many had a label. */
export function dataSection(record: RunRecord): Html | null {
  const { classCounts, trainImages, leftOut } = record.exhibits;
  if (classCounts.length === 0 && trainImages === undefined) return null;
  const columns = columnsOf(record);
  // The command line writes the list; a program that calls the library has it in its hands.
  const isListed = typeof record.config.commandLine === 'string';
  return section('The data', {
    body: html`${trainImages !== undefined && html`<p>${countOf(trainImages, 'image')} to learn from${labelsText(record)}</p>`}
  ${leftOut && leftOutText(leftOut, isListed)}
  ${columns.length > 0 && classesText(classCounts, columns)}`,
  });
}

/** What was found and not used, by its kind, and where all of it is listed. */
function leftOutText(
  { found, unit, setAside, copies, untested, kinds, rows }: LeftOut,
  isListed: boolean,
): Html | null {
  const counts = [
    ...(setAside > 0 ? [`${formatCount(setAside)} could not be used`] : []),
    ...(copies > 0 ? [`${formatCount(copies)} ${byCount(copies, 'is a copy', 'are copies')}`] : []),
    ...(untested > 0
      ? [
          `${formatCount(untested)} ${byCount(untested, 'is a test image', 'are test images')} of no class that can be learned`,
        ]
      : []),
  ];
  if (counts.length + kinds.length === 0 && rows === undefined) return null;
  const kindText = ({ reason, count, names, hint }: LeftOut['kinds'][number]): Html =>
    html`<li>${reason}: ${formatCount(count)} (${namesText(names, count)}).${hint !== undefined && ` ${hint}`}</li>`;
  return html`${counts.length > 0 && html`<p>Of ${countOf(found, unit)} found, ${listText(counts)}.</p>`}
  <ul>${kinds.map(kindText)}${
    rows &&
    html`<li>${countOf(rows.count, 'row')} of <bdi>${rows.table}</bdi> ${byCount(rows.count, 'finds', 'find')} no image (${namesText(rows.names, rows.count)}).</li>`
  }</ul>
  ${isListed && (kinds.length > 0 || rows) && html`<p class="quiet">All of them are listed in <code>${skippedName}</code> in the folder of the run.</p>`}`;
}

/** The first names, and how many more there are. */
function namesText(names: readonly string[], count: number): Content {
  const shown = names.map((name, i) => [i > 0 && ', ', className(name)]);
  return [shown, count > names.length && ` and ${formatCount(count - names.length)} more`];
}

function listText(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** A column of the table of classes. */
interface Column {
  readonly title: string;
  /** Whether a bar beside each number shows its share of the largest. */
  readonly hasBar: boolean;
  of(counts: ClassCounts[number]): number;
}

/**
 * The numbers of each class that are known and say something: of a pile that nobody has labelled only the labels that were
 * given are known; where every known label was learned from, one column says both.
 */
function columnsOf(record: RunRecord): readonly Column[] {
  const { classCounts } = record.exhibits;
  if (classCounts.length === 0) return [];
  const isKnown = classCounts.every(({ train }) => train !== null);
  const train = ({ train }: ClassCounts[number]) => train ?? 0;
  const labelled = ({ labelled }: ClassCounts[number]) => labelled;
  const told: Column = { title: 'Labels learned from', hasBar: !isKnown, of: labelled };
  const known: Column = {
    title: withoutLabel(record) > 0 ? 'Images with a label' : 'Images',
    hasBar: true,
    of: train,
  };
  const found = ({ found }: ClassCounts[number]) => found ?? 0;
  const sampled = classCounts.reduce((sum, counts) => sum + found(counts), 0);
  const answered: readonly Column[] =
    sampled > 0
      ? [{ title: `Answers for ${countOf(sampled, 'image')} of the pile`, hasBar: false, of: found }]
      : [];
  if (!isKnown) return [told, ...answered];
  const isSame = classCounts.every((counts) => train(counts) === labelled(counts));
  return isSame || isPretrainingAlone(record) ? [known, ...answered] : [known, told, ...answered];
}

/** Training images whose class nobody has said; 0 where the record does not tell. */
function withoutLabel({ exhibits: { classCounts, trainImages } }: RunRecord): number {
  const known = classCounts.reduce((sum, { train, labelled }) => sum + (train ?? labelled), 0);
  return trainImages === undefined ? 0 : Math.max(0, trainImages - known);
}

function labelsText(record: RunRecord): string {
  const { classCounts, trainImages = 0 } = record.exhibits;
  const unlabelled = withoutLabel(record);
  const end = isPretrainingAlone(record) ? '. No label took part.' : '.';
  if (classCounts.length === 0) return '. None of them has a label.';
  return unlabelled === 0
    ? end
    : `: ${formatCount(trainImages - unlabelled)} with a label and ${formatCount(unlabelled)} without, the pile${end}`;
}

function classesText(counts: ClassCounts, columns: readonly Column[]): Html {
  const isLong = counts.length > shownClasses;
  const size = (each: ClassCounts[number]) => columns[0]?.of(each) ?? 0;
  const bySize = counts.toSorted((a, b) => size(a) - size(b));
  const ends = [...bySize.slice(0, shownEnds), ...bySize.slice(-shownEnds)];
  return html`${isLong && html`<p>The ${shownEnds} smallest and the ${shownEnds} largest of ${formatCount(counts.length)} classes.</p>`}
  ${countsTable(isLong ? ends : counts, counts, columns)}
  ${isLong && html`<details><summary><b>All ${formatCount(counts.length)} classes</b><span>in their order</span></summary>${countsTable(counts, counts, columns)}</details>`}`;
}

function countsTable(shown: ClassCounts, all: ClassCounts, columns: readonly Column[]): Html {
  const cells = ({ hasBar, of }: Column, counts: ClassCounts[number]) => {
    const largest = all.reduce((max, each) => Math.max(max, of(each)), 1);
    return html`${hasBar && html`<td class="share"><span style="--value:${(of(counts) / largest).toFixed(4)}"></span></td>`}<td>${formatCount(of(counts))}</td>`;
  };
  const total = ({ hasBar, of }: Column) =>
    html`${hasBar && html`<td></td>`}<td>${formatCount(all.reduce((sum, each) => sum + of(each), 0))}</td>`;
  return html`<div class="scroll"><table class="names classes">
    <thead><tr><th scope="col">Class</th>${columns.map(({ title, hasBar }) => html`<th scope="col"${hasBar && html` colspan="2"`}>${title}</th>`)}</tr></thead>
    <tbody>${shown.map(
      (each) =>
        html`<tr><th scope="row">${className(each.name)}</th>${columns.map((column) => cells(column, each))}</tr>
    `,
    )}</tbody>
    <tfoot><tr><th scope="row">Total</th>${columns.map(total)}</tr></tfoot>
  </table></div>`;
}

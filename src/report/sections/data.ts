import type { Exhibits, RunRecord } from '../../store/run-record.js';
import { className } from '../class-name.js';
import { countOf, formatCount } from '../format.js';
import { type Html, html } from '../html.js';
import { isPretrainingAlone } from '../run-facts.js';
import { section } from '../section.js';

/** Classes of which a reader takes in every one; of more, the smallest and the largest are shown, all when asked for. */
const shownClasses = 30;
const shownEnds = 10;

type ClassCounts = Exhibits['classCounts'];

/** What the images were, how many of each class, and how many had a label. */
export function dataSection(record: RunRecord): Html | null {
  const { classCounts, trainImages } = record.exhibits;
  if (classCounts.length === 0 && trainImages === undefined) return null;
  const columns = columnsOf(record);
  return section('The data', {
    body: html`${trainImages !== undefined && html`<p>${countOf(trainImages, 'image')} to learn from.${labelsText(record)}</p>`}
  ${columns.length > 0 && classesText(classCounts, columns)}`,
  });
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
  if (!isKnown) return [told];
  const isSame = classCounts.every((counts) => train(counts) === labelled(counts));
  return isSame || isPretrainingAlone(record) ? [known] : [known, told];
}

/** Training images whose class nobody has said; 0 where the record does not tell. */
function withoutLabel({ exhibits: { classCounts, trainImages } }: RunRecord): number {
  const known = classCounts.reduce((sum, { train, labelled }) => sum + (train ?? labelled), 0);
  return trainImages === undefined ? 0 : Math.max(0, trainImages - known);
}

function labelsText(record: RunRecord): string {
  const { classCounts, trainImages = 0 } = record.exhibits;
  const unlabelled = withoutLabel(record);
  const isAlone = isPretrainingAlone(record) ? ' No label took part.' : '';
  if (classCounts.length === 0) return ' None of them has a label.';
  return unlabelled === 0
    ? isAlone
    : ` ${formatCount(trainImages - unlabelled)} with a label, ${formatCount(unlabelled)} without, which are the pile.${isAlone}`;
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

import type { Exhibits } from '../../store/run-record.js';
import { className } from '../class-name.js';
import { formatCount } from '../format.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** Classes of which a reader takes in every one; of more, the smallest and the largest are shown, all when asked for. */
const shownClasses = 30;
const shownEnds = 10;

type ClassCounts = Exhibits['classCounts'];

/** How many images and labels each class has. */
export function classesSection(counts: ClassCounts): Html | null {
  if (counts.length === 0) return null;
  // Of a pile that nobody has labelled only the labels are known.
  const known = counts.every(({ train }) => train !== null);
  const size = ({ train, labelled }: ClassCounts[number]) => (known ? (train ?? 0) : labelled);
  const isLong = counts.length > shownClasses;
  const bySize = counts.toSorted((a, b) => size(a) - size(b));
  const ends = [...bySize.slice(0, shownEnds), ...bySize.slice(-shownEnds)];
  return section('The data', {
    body: html`${isLong && html`<p>The ${shownEnds} smallest and the ${shownEnds} largest of ${formatCount(counts.length)} classes.</p>`}
  ${countsTable(isLong ? ends : counts, counts, known)}
  ${isLong && html`<details><summary><b>All ${formatCount(counts.length)} classes</b><span>in their order</span></summary>${countsTable(counts, counts, known)}</details>`}`,
  });
}

function countsTable(shown: ClassCounts, all: ClassCounts, known: boolean): Html {
  const most = all.reduce((max, { train }) => Math.max(max, train ?? 0), 1);
  const total = (of: 'train' | 'labelled') => all.reduce((sum, entry) => sum + (entry[of] ?? 0), 0);
  return html`<div class="scroll"><table class="names classes">
    <thead><tr><th scope="col">Class</th>${known && html`<th scope="col" colspan="2">Training images</th>`}<th scope="col">${known ? 'of which labelled' : 'Labels'}</th></tr></thead>
    <tbody>${shown.map(
      ({ name, train, labelled }) =>
        html`<tr><th scope="row">${className(name)}</th>${known && html`<td class="share"><span style="--value:${((train ?? 0) / most).toFixed(4)}"></span></td><td>${formatCount(train ?? 0)}</td>`}<td>${formatCount(labelled)}</td></tr>
    `,
    )}</tbody>
    <tfoot><tr><th scope="row">Total</th>${known && html`<td></td><td>${formatCount(total('train'))}</td>`}<td>${formatCount(total('labelled'))}</td></tr></tfoot>
  </table></div>`;
}

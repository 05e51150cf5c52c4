import type { Exhibits } from '../../store/run-record.js';
import { formatCount } from '../format.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** How many images and labels each class has. */
export function classesSection(counts: Exhibits['classCounts']): Html | null {
  if (counts.length === 0) return null;
  const most = counts.reduce((max, { train }) => Math.max(max, train ?? 0), 1);
  const total = (of: 'train' | 'labelled') => counts.reduce((sum, entry) => sum + (entry[of] ?? 0), 0);
  // Of a pile that nobody has labelled only the labels are known.
  const known = counts.every(({ train }) => train !== null);
  return section('The data', {
    body: html`<div class="scroll"><table class="classes">
    <thead><tr><th scope="col">Class</th>${known && html`<th scope="col" colspan="2">Training images</th>`}<th scope="col">${known ? 'of which labelled' : 'Labels'}</th></tr></thead>
    <tbody>${counts.map(
      ({
        name,
        train,
        labelled,
      }) => html`<tr><th scope="row">${name}</th>${known && html`<td class="share"><span style="--value:${((train ?? 0) / most).toFixed(4)}"></span></td><td>${formatCount(train ?? 0)}</td>`}<td>${formatCount(labelled)}</td></tr>
    `,
    )}</tbody>
    <tfoot><tr><th scope="row">Total</th>${known && html`<td></td><td>${formatCount(total('train'))}</td>`}<td>${formatCount(total('labelled'))}</td></tr></tfoot>
  </table></div>`,
  });
}

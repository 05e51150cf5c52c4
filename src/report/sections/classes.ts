import type { Exhibits } from '../../train/run-record.js';
import { formatCount } from '../format.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** How many images and labels each class has. */
export function classesSection(counts: Exhibits['classCounts']): Html | null {
  if (counts.length === 0) return null;
  const most = Math.max(1, ...counts.map(({ train }) => train));
  const total = (of: 'train' | 'labelled') => counts.reduce((sum, entry) => sum + entry[of], 0);
  return section('The data', {
    body: html`<div class="scroll"><table class="classes">
    <thead><tr><th scope="col">Class</th><th scope="col" colspan="2">Training images</th><th scope="col">of which labelled</th></tr></thead>
    <tbody>${counts.map(
      ({
        name,
        train,
        labelled,
      }) => html`<tr><th scope="row">${name}</th><td class="share"><span style="--value:${(train / most).toFixed(4)}"></span></td><td>${formatCount(train)}</td><td>${formatCount(labelled)}</td></tr>
    `,
    )}</tbody>
    <tfoot><tr><th scope="row">Total</th><td></td><td>${formatCount(total('train'))}</td><td>${formatCount(total('labelled'))}</td></tr></tfoot>
  </table></div>`,
  });
}

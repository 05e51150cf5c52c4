import { byCount, countOf, formatCount } from '../../counts.js';
import type { RunRecord } from '../../store/run-record.js';
import { formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { printable } from '../printable.js';
import { section } from '../section.js';

/** Rows at most; the command lists all. */
const mostRows = 40;

/** Labels that the rest of the run contradicts, so that a person looks at them. */
export function doubtsSection({ doubts, result }: RunRecord): Html | null {
  if (doubts === undefined || doubts.doubted.length === 0) return null;
  const { doubted, checked, labels, expectedWrong } = doubts;
  const hasFiles = doubted.some(({ file }) => file !== undefined);
  const more = doubted.length - mostRows;
  return section('Labels that look wrong', {
    body: html`<p>${countOf(doubted.length, 'label')} of ${formatCount(labels)} ${byCount(doubted.length, 'is', 'are')} contradicted by the rest: by a network that learned without the label, and by the images that look alike where there is a graph of them. Of the ${formatCount(checked)} that were checked, about ${formatCount(expectedWrong)} are wrong in all, by their estimate. Look at these, correct them, and run again: <code>quarterturn doubts ${result.run} --out doubts.csv</code></p>
  <div class="scroll"><table class="comparison">
    <thead><tr><th scope="col">${hasFiles ? 'File' : 'Image'}</th><th scope="col">Label</th><th scope="col">The rest says</th><th scope="col">How sure</th><th scope="col">Label wrong</th></tr></thead>
    <tbody>${doubted.slice(0, mostRows).map(
      ({ file, index, label, suggested, probability, wrong }) =>
        html`<tr><th scope="row">${file === undefined ? formatCount(index) : printable(file)}</th><td>${printable(label)}</td><td>${printable(suggested)}</td><td>${formatPercent(probability, 0)}</td><td><b>${formatPercent(wrong, 0)}</b></td></tr>
    `,
    )}</tbody>
  </table></div>
  ${more > 0 && html`<p>${formatCount(more)} more are in the list of the command.</p>`}`,
  });
}

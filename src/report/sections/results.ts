import type { RunRecord } from '../../train/run-record.js';
import { type ComparisonRow, compareWithNotebook } from '../comparison.js';
import { absent } from '../format.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';
import { oursText, theirsText } from '../terminal-table.js';

/** Every figure of the notebook with ours beside it; below, what the choice of labels made of them. */
export function comparisonSection({ result }: RunRecord): Html {
  const rows = compareWithNotebook(result);
  const drawRows = rows.filter((row) => row.subject === 'draws');
  const subjects = [...new Set(rows.map((row) => row.subject))].filter((subject) => subject !== 'draws');
  return section('Beside the notebook', {
    body: html`<p>The starting point was a Keras notebook. These are all the figures that it prints, and what this run measured in their place. Losses are mean cross-entropies in nats; test images took no part in training or in any choice.</p>
  <div class="scroll"><table class="comparison">
    <thead><tr><th scope="col">Figure</th><th scope="col">This run</th><th scope="col">Notebook</th><th scope="col">Difference</th></tr></thead>
    ${subjects.map((subject) => html`<tbody>${rows.filter((row) => row.subject === subject).map(comparisonRow)}</tbody>`)}
  </table></div>
  ${
    drawRows.length > 0 &&
    html`<div class="scroll"><table class="comparison">
    <thead><tr><th scope="col">Over ${result.draws.length} draws of the labels</th><th scope="col">Mean ± standard deviation</th></tr></thead>
    <tbody>${drawRows.map((row) => html`<tr><th scope="row">${row.label}</th><td><b>${oursText(row)}</b></td></tr>`)}</tbody>
  </table></div>`
  }`,
  });
}

function comparisonRow(row: ComparisonRow): Html {
  const theirs = row.notebook === null ? html`<span class="quiet">not reported</span>` : theirsText(row);
  return html`<tr><th scope="row">${row.label}</th><td><b>${row.ours === null ? 'not run' : oursText(row)}</b></td><td>${theirs}</td><td class="quiet">${difference(row)}</td></tr>
    `;
}

/** Signed, in percentage points for accuracies. */
export function difference({ ours, notebook, unit }: ComparisonRow): string {
  if (ours === null || notebook === null) return absent;
  const delta = unit === 'accuracy' ? (ours - notebook) * 100 : ours - notebook;
  const decimals = unit === 'accuracy' ? 2 : 4;
  const size = Math.abs(delta).toFixed(decimals);
  const sign = Number(size) === 0 ? '±' : delta < 0 ? '−' : '+';
  return `${sign}${size}${unit === 'accuracy' ? ' pp' : ''}`;
}

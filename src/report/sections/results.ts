import type { RunRecord } from '../../store/run-record.js';
import { type ComparisonRow, compareWithNotebook, notebookOf } from '../comparison.js';
import { absent } from '../format.js';
import { type Html, html } from '../html.js';
import { isPretrainingAlone, isTested } from '../run-facts.js';
import { section } from '../section.js';
import { hasNotebook, oursText, theirsText } from '../terminal-table.js';

/** Every figure, beside the notebook's where it looked at the same data; below, what the choice of labels made of them. */
export function comparisonSection(record: RunRecord): Html | null {
  const { result, config } = record;
  const all = compareWithNotebook(result, notebookOf(config));
  const isBeside = hasNotebook(all);
  // A stage that was not run is worth a row only where the notebook's figure stands there, and the run is one as the notebook.
  const isWhole = isBeside && !isPretrainingAlone(record);
  const rows = all.filter(({ ours }) => isWhole || ours !== null);
  if (rows.length === 0) return null;
  const remarks = [
    ...(rows.some(({ unit }) => unit === 'loss') ? ['Losses are mean cross-entropies in nats.'] : []),
    ...(isTested(record) ? ['Test images took no part in training or in any choice.'] : []),
  ];
  const drawRows = rows.filter((row) => row.subject === 'draws');
  const subjects = [...new Set(rows.map((row) => row.subject))].filter((subject) => subject !== 'draws');
  return section(isBeside ? 'Beside the notebook' : 'The figures', {
    body: html`<p>${isBeside && 'The starting point was a Keras notebook. These are all the figures that it prints, and what this run measured in their place. '}${remarks.join(' ')}</p>
  <div class="scroll"><table class="comparison">
    <thead><tr><th scope="col">Figure</th><th scope="col">This run</th>${isBeside && html`<th scope="col">Notebook</th><th scope="col">Difference</th>`}</tr></thead>
    ${subjects.map((subject) => html`<tbody>${rows.filter((row) => row.subject === subject).map((row) => comparisonRow(row, isBeside))}</tbody>`)}
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

function comparisonRow(row: ComparisonRow, isBeside: boolean): Html {
  const theirs = row.notebook === null ? html`<span class="quiet">not reported</span>` : theirsText(row);
  return html`<tr><th scope="row">${row.label}</th><td><b>${row.ours === null ? 'not run' : oursText(row)}</b></td>${isBeside && html`<td>${theirs}</td><td class="quiet">${difference(row)}</td>`}</tr>
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

import type { RunRecord } from '../../train/run-record.js';
import { type ComparisonRow, compareWithNotebook, notebookFigures } from '../comparison.js';
import { absent, formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { labelCount } from '../run-facts.js';
import { section } from '../section.js';
import { spreadOf } from '../statistics.js';
import { oursText, theirsText } from '../terminal-table.js';

/** Three classifiers from the same labels, as bars. */
export function barsSection(record: RunRecord): Html | null {
  const { baseline, baselineReestimated, fineTune } = record.result;
  if (baseline === null && fineTune === null) return null;
  const labels = labelCount(record);
  const classes = record.exhibits.classCounts.length || 10;
  return section(`The same ${labels} labels, used differently`, {
    body: html`<figure class="bars" style="--chance:${1 / classes}">
    ${bar('Supervised, from scratch', 'evaluated as the notebook does', baseline?.test.accuracy, notebookFigures.baseline.test.accuracy, 'plain')}
    ${bar('Supervised, from scratch', 'the same weights, statistics re-estimated', baselineReestimated?.test.accuracy, null, 'plain')}
    ${bar('Rotations first, then the labels', 'pretrained and fine-tuned', fineTune?.test.accuracy, notebookFigures.fineTune.test.accuracy, 'ours')}
    <figcaption>Test accuracy. The tick <i class="tick"></i> is the notebook’s figure, the dotted line is chance, ${formatPercent(1 / classes, 0)}.${drawsSentence(record)}</figcaption>
  </figure>`,
  });
}

function bar(
  name: string,
  note: string,
  accuracy: number | undefined,
  notebook: number | null,
  kind: 'plain' | 'ours',
): Html | null {
  if (accuracy === undefined) return null;
  return html`<div class="bar ${kind}">
      <p>${name}<small>${note}</small></p>
      <div class="track"><span class="fill" style="--value:${accuracy}"></span>${notebook !== null && html`<i class="tick" style="--value:${notebook}"></i>`}</div>
      <b>${formatPercent(accuracy)}</b>
    </div>
    `;
}

function drawsSentence({ result }: RunRecord): string {
  const accuracies = result.draws.flatMap(({ fineTune }) => (fineTune ? [fineTune.accuracy] : []));
  if (accuracies.length < 2) return '';
  const { mean, deviation } = spreadOf(accuracies);
  const spread = `${(mean * 100).toFixed(2)} ± ${formatPercent(deviation)}`;
  return ` The bars show label draw 0; over all ${accuracies.length} draws the fine-tuned network reaches ${spread} (mean ± sample standard deviation).`;
}

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

import type { ConfusionMatrix } from '../../store/run-record.js';
import { formatCount, formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** Confusion matrices as heat maps, each with its most frequent mistakes in words. */
export function confusionsSection(confusions: readonly ConfusionMatrix[]): Html | null {
  if (confusions.length === 0) return null;
  return section('Where it errs', {
    body: html`<p>A row is what the image was, a column what the network said. Blue is the share that it got right, red what it took for something else.</p>`,
    wide: html`<div class="matrices">${confusions.map(matrixFigure)}</div>`,
  });
}

function matrixFigure(confusion: ConfusionMatrix): Html {
  const { classNames, counts } = confusion;
  return html`<figure class="matrix">
    <figcaption><b>${confusion.title}</b><span>${matrixSummary(confusion)}</span></figcaption>
    <div class="scroll"><table style="--classes:${classNames.length}">
      <thead><tr><td class="corner">actual ╲ predicted</td>${classNames.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${counts.map(
        (
          row,
          actual,
        ) => html`<tr><th scope="row">${classNames[actual]}</th>${row.map((count, predicted) => cell(count, row, actual === predicted))}</tr>
      `,
      )}</tbody>
    </table></div>
  </figure>
  `;
}

function cell(count: number, row: readonly number[], right: boolean): Html {
  if (count === 0) return html`<td class="zero">·</td>`;
  const share = count / row.reduce((sum, n) => sum + n, 0);
  // Mistakes are few: their square root is shown, or a share of 1 % could not be told from none.
  const strength = right ? share : 0.12 + 0.88 * Math.sqrt(share);
  const kind = `${right ? 'right' : 'error'}${strength > 0.55 ? ' strong' : ''}`;
  return html`<td class="${kind}" style="--strength:${strength.toFixed(3)}">${formatCount(count)}</td>`;
}

/** e.g. `9,342 of 10,000 right (93.4 %). Most often 4 taken for 9 (48), 7 for 1 (31).` */
export function matrixSummary({ classNames, counts }: ConfusionMatrix): string {
  const total = counts.flat().reduce((sum, n) => sum + n, 0);
  const right = counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  const mistakes = counts
    .flatMap((row, actual) => row.map((count, predicted) => ({ count, actual, predicted })))
    .filter(({ count, actual, predicted }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 3)
    .map(
      ({ count, actual, predicted }, i) =>
        `${classNames[actual]} ${i === 0 ? 'taken for' : 'for'} ${classNames[predicted]} (${formatCount(count)})`,
    );
  const score = `${formatCount(right)} of ${formatCount(total)} right (${total === 0 ? '—' : formatPercent(right / total)}).`;
  return mistakes.length === 0 ? score : `${score} Most often ${mistakes.join(', ')}.`;
}

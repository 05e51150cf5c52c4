import { isolated } from '../data/isolated-name.js';
import type { ConfusionMatrix } from '../store/exhibits-record.js';
import { type ConfusionCell, confusedPairs } from '../train/class-metrics.js';
import { className } from './class-name.js';
import { countOf, formatCount, formatPercent } from './format.js';
import { type Html, html } from './html.js';
import { shorten, textWidth } from './text-width.js';

/** Classes up to which every number has its place in a table; of more, there are a picture and the pairs. */
export const largestTable = 20;

/** Pairs that are listed beside a picture. */
const listedPairs = 20;

/** A confusion matrix: a table, or of many classes a picture and the pairs that are confused most. */
export function confusionFigure(confusion: ConfusionMatrix): Html {
  const isTable = confusion.classNames.length <= largestTable;
  return html`<figure class="matrix">
    <figcaption>${confusion.title !== '' && html`<b>${confusion.title}</b>`}<span>${matrixSummary(confusion)}</span></figcaption>
    ${isTable ? matrixTable(confusion) : html`<div class="many">${matrixPicture(confusion)}${pairsTable(confusion)}</div>`}
  </figure>
  `;
}

/** Names wider than this stand upright above their columns. */
const widestHead = 6;

function matrixTable({ classNames, cells }: ConfusionMatrix): Html {
  const counts = new Map(cells.map(([actual, predicted, count]) => [`${actual},${predicted}`, count]));
  const totals = rowTotals(classNames.length, cells);
  const isUpright = classNames.some((name) => textWidth(name) > widestHead);
  return html`<div class="scroll"><table${isUpright && html` class="upright"`}>
      <thead><tr><td class="corner">actual ╲ predicted</td>${classNames.map((name) => html`<th scope="col">${className(name, 24)}</th>`)}</tr></thead>
      <tbody>${classNames.map(
        (name, actual) =>
          html`<tr><th scope="row">${className(name, 32)}</th>${classNames.map((_, predicted) => cell(counts.get(`${actual},${predicted}`) ?? 0, totals[actual] ?? 0, actual === predicted))}</tr>
      `,
      )}</tbody>
    </table></div>`;
}

function cell(count: number, total: number, right: boolean): Html {
  if (count === 0) return html`<td class="zero">·</td>`;
  const strength = strengthOf(count / total, right);
  const kind = `${right ? 'right' : 'error'}${strength > 0.55 ? ' strong' : ''}`;
  return html`<td class="${kind}" style="--strength:${strength.toFixed(3)}">${formatCount(count)}</td>`;
}

/** Mistakes are few: their square root is shown, or a share of 1 % could not be told from none. */
function strengthOf(share: number, right: boolean): number {
  return right ? share : 0.12 + 0.88 * Math.sqrt(share);
}

function rowTotals(classes: number, cells: readonly ConfusionCell[]): readonly number[] {
  const totals = new Array<number>(classes).fill(0);
  for (const [actual, , count] of cells) totals[actual] = (totals[actual] ?? 0) + count;
  return totals;
}

/** Cells along a side of a picture; of more classes, neighbours share one, which keeps the file small. */
const pictureSide = 100;

/** Shades of a picture: enough to see where mistakes gather. */
const shades = 5;

/**
 * A matrix as a picture: a row is what images were, a column what they were taken for. All cells of one shade are one path, so
 * that its size depends on the cells that are filled, and on no more than 100 × 100 of them.
 */
export function matrixPicture({ classNames, cells }: ConfusionMatrix): Html {
  const perCell = Math.ceil(classNames.length / pictureSide);
  const side = Math.ceil(classNames.length / perCell);
  const binned = new Map<number, number>();
  for (const [actual, predicted, count] of cells) {
    const at = Math.floor(actual / perCell) * side + Math.floor(predicted / perCell);
    // Within a cell of several classes, mistakes among these are on the diagonal, too: only right answers colour it.
    if (actual !== predicted && at % (side + 1) === 0) continue;
    binned.set(at, (binned.get(at) ?? 0) + count);
  }
  const totals = new Array<number>(side).fill(0);
  for (const [actual, , count] of cells) {
    const row = Math.floor(actual / perCell);
    totals[row] = (totals[row] ?? 0) + count;
  }
  const paths = new Map<string, string>();
  for (const [at, count] of [...binned].sort(([a], [b]) => a - b)) {
    const [y, x] = [Math.floor(at / side), at % side];
    const strength = strengthOf(count / (totals[y] ?? 1), x === y);
    const key = `${x === y ? 'right' : 'error'} ${Math.max(1, Math.ceil(strength * shades))}`;
    paths.set(key, `${paths.get(key) ?? ''}M${x} ${y}h1v1h-1z`);
  }
  const first = classNames[0] ?? '';
  const last = classNames.at(-1) ?? '';
  const gathered = perCell > 1 ? `; ${perCell} neighbouring classes share a row and a column` : '';
  return html`<div class="map">
      <svg viewBox="0 0 ${side} ${side}" role="img" aria-label="Confusion matrix of ${countOf(classNames.length, 'class')}; the pairs beside it are its largest numbers" shape-rendering="crispEdges">${[
        ...paths,
      ].map(([key, path]) => {
        const [kind = '', shade = ''] = key.split(' ');
        return html`<path class="${kind}" style="--strength:${(Number(shade) / shades).toFixed(1)}" d="${path}"/>`;
      })}</svg>
      <p class="note">Down: what images were. Across: what they were taken for. ${countOf(classNames.length, 'class')} in their order, from ${className(first)} to ${className(last)}${gathered}.</p>
    </div>`;
}

/** The pairs of classes that are confused most, with the share of the class's images that it is. */
export function pairsTable({ classNames, cells }: Omit<ConfusionMatrix, 'title'>): Html | null {
  const pairs = confusedPairs({ classNames, cells });
  if (pairs.length === 0) return null;
  const totals = rowTotals(classNames.length, cells);
  const supports = new Map(classNames.map((name, k) => [name, totals[k] ?? 0]));
  const rest = pairs.length - listedPairs;
  return html`<div class="scroll"><table class="names pairs">
      <thead><tr><th scope="col">Class</th><th scope="col" class="name">taken for</th><th scope="col">Images</th><th scope="col">of the class</th></tr></thead>
      <tbody>${pairs.slice(0, listedPairs).map(
        ({ actual, predicted, count }) =>
          html`<tr><th scope="row">${className(actual)}</th><td class="name">${className(predicted)}</td><td>${formatCount(count)}</td><td>${formatPercent(count / (supports.get(actual) ?? count), 1)}</td></tr>
      `,
      )}</tbody>
    </table>${rest > 0 && html`<p class="note">and ${countOf(rest, 'more pair')}.</p>`}</div>`;
}

/** e.g. `9,342 of 10,000 right (93.4 %). Most often 4 taken for 9 (48), 7 for 1 (31).` */
export function matrixSummary({ classNames, cells }: Omit<ConfusionMatrix, 'title'>): string {
  const total = cells.reduce((sum, [, , n]) => sum + n, 0);
  const right = cells.reduce<number>(
    (sum, [actual, predicted, n]) => (actual === predicted ? sum + n : sum),
    0,
  );
  const score = `${formatCount(right)} of ${formatCount(total)} right (${total === 0 ? '—' : formatPercent(right / total)}).`;
  // Pairs that a table beside it lists need not be told.
  if (classNames.length > largestTable) return score;
  const mistakes = confusedPairs({ classNames, cells })
    .slice(0, 3)
    .map(
      ({ actual, predicted, count }, i) =>
        `${told(actual)} ${i === 0 ? 'taken for' : 'for'} ${told(predicted)} (${formatCount(count)})`,
    );
  return mistakes.length === 0 ? score : `${score} Most often ${mistakes.join(', ')}.`;
}

/** A name within a sentence. */
const told = (name: string): string => isolated(shorten(name, 32));

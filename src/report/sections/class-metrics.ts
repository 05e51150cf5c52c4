import type { ClassMetrics } from '../../train/class-metrics.js';
import { className } from '../class-name.js';
import { absent, formatCount, formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** Rows of a table that a reader takes in; of more classes the worst are shown, and all of them when asked for. */
const shownClasses = 25;

/** Precision, recall, F1 and images of each class. */
export function classMetricsSection(classes: readonly ClassMetrics[]): Html {
  const isLong = classes.length > shownClasses;
  return section('Class by class', {
    body: html`<p>Recall is the share of a class’s images that were recognised, precision the share of right answers among those that named the class, F1 their harmonic mean.${isLong && ` Of ${formatCount(classes.length)} classes these are the ${shownClasses} with the lowest F1.`}</p>
  ${metricsTable(isLong ? lowestF1(classes).slice(0, shownClasses) : classes)}
  ${isLong && html`<details><summary><b>All ${formatCount(classes.length)} classes</b><span>in their order</span></summary>${metricsTable(classes)}</details>`}`,
  });
}

/** Classes that have images, the lowest F1 first. */
export function lowestF1(classes: readonly ClassMetrics[]): readonly ClassMetrics[] {
  return classes.filter(({ f1 }) => f1 !== null).toSorted((a, b) => (a.f1 ?? 0) - (b.f1 ?? 0));
}

function metricsTable(classes: readonly ClassMetrics[]): Html {
  return html`<div class="scroll"><table class="names classes">
    <thead><tr><th scope="col">Class</th><th scope="col" colspan="2">F1</th><th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">Images</th></tr></thead>
    <tbody>${classes.map(
      ({ name, f1, precision, recall, support }) =>
        html`<tr><th scope="row">${className(name)}</th><td class="share"><span style="--value:${(f1 ?? 0).toFixed(4)}"></span></td><td>${share(f1)}</td><td>${share(precision)}</td><td>${share(recall)}</td><td>${formatCount(support)}</td></tr>
    `,
    )}</tbody>
  </table></div>`;
}

const share = (value: number | null): string => (value === null ? absent : formatPercent(value, 1));

import type { ConfusionMatrix } from '../../store/exhibits-record.js';
import { confusionFigure } from '../confusion-figure.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** What was taken for what. */
export function confusionsSection(confusions: readonly ConfusionMatrix[]): Html | null {
  if (confusions.length === 0) return null;
  return section('Where it errs', {
    body: html`<p>A row is what the image was, a column what the network said. Blue is the share that it got right, red what it took for something else.</p>`,
    wide: html`<div class="matrices">${confusions.map(confusionFigure)}</div>`,
  });
}

import type { LadderStep, RunRecord } from '../../store/run-record.js';
import { type NotebookFigures, notebookOf } from '../comparison.js';
import { countOf, formatDuration, formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { errorText, ladderText } from '../ladder.js';
import { keptFigure, labelCount } from '../run-facts.js';
import { section } from '../section.js';
import { spreadOf } from '../statistics.js';

/** The same labels, used better and better: what each step brought and what it cost. */
export function ladderSection(record: RunRecord): Html | null {
  const { ladder } = record.result;
  if (ladder.length === 0) return null;
  const classes = record.exhibits.classCounts.length || 10;
  const kept = keptFigure(record);
  const text = ladderText(record);
  const notebook = notebookOf(record.config);
  return section('What each step brought', {
    body: html`${text !== '' && html`<p>${text}</p>`}
  <figure class="bars" style="--chance:${1 / classes}">
    ${ladder.map((step) => bar(step, step.figure === kept, notebook))}
    <figcaption>Test accuracy with the same ${countOf(labelCount(record), 'label')}; below it, how many are wrong. ${notebook && html`The tick <i class="tick"></i> is the notebook’s figure. `}The dotted line is chance, ${formatPercent(1 / classes, classes > 50 ? 1 : 0)}. Times and images are of all training that led to a step, an image counting each time that it was seen.${drawsSentence(record)}</figcaption>
  </figure>`,
  });
}

function bar(
  { figure, step, test, durationMs, imagesTrained }: LadderStep,
  kept: boolean,
  notebook: NotebookFigures | null,
): Html {
  const theirs =
    figure === 'baseline' || figure === 'fineTune' ? notebook?.[figure].test.accuracy : undefined;
  const { accuracy } = test;
  return html`<div class="bar ${kept ? 'ours' : 'plain'}">
      <p>${step}<small>${formatDuration(durationMs)}, ${countOf(imagesTrained, 'image')}</small></p>
      <div class="track"><span class="fill" style="--value:${accuracy}"></span>${theirs !== undefined && html`<i class="tick" style="--value:${theirs}"></i>`}</div>
      <p class="value"><b>${formatPercent(accuracy)}</b><small>${errorText(1 - accuracy)} wrong</small></p>
    </div>
    `;
}

function drawsSentence({ result }: RunRecord): string {
  const accuracies = result.draws.flatMap(({ final, fineTune }) => {
    const metrics = final ?? fineTune;
    return metrics ? [metrics.accuracy] : [];
  });
  if (accuracies.length < 2) return '';
  const { mean, deviation } = spreadOf(accuracies);
  const spread = `${(mean * 100).toFixed(2)} ± ${formatPercent(deviation)}`;
  return ` The bars show label draw 0; over all ${accuracies.length} draws the classifier that was kept reaches ${spread} (mean ± sample standard deviation).`;
}

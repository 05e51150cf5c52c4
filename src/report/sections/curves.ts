import type { RunRecord, StageFacts } from '../../store/run-record.js';
import { chartSvg, cssTheme } from '../chart-svg.js';
import { informationOption, learningCurveOption } from '../charts.js';
import { countOf, formatDuration, formatLoss, formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { summariseStage } from '../run-facts.js';
import { section } from '../section.js';

/** Accuracy and loss of each stage that was trained, over its epochs; for self-training, what it knows of the pile. */
export function curvesSection(record: RunRecord): Html | null {
  const stages = record.stages.filter(({ name }) => summariseStage(record.epochs, name) !== null);
  if (stages.length === 0) return null;
  const piled = record.epochs.some(({ pile }) => pile !== undefined);
  const several = record.result.draws.length > 1;
  return section('How it learned', {
    body: html`<p>Training figures are means over an epoch’s batches, taken while the network still moves; validation figures are taken at its end.${piled && ' Self-training has no labels left to be measured with. Instead, two distorted views of each unlabelled image are classified. Agreement is the share of images whose views get the same class; information is what one view’s class tells about the other’s, from 0 (every image in one class) to ln K (all K classes in use and never confused).'}${several && ' Of several label draws the first is drawn.'}</p>
  ${stages.map((stage) => stageCurves(record, stage))}`,
  });
}

function stageCurves({ epochs, exhibits }: RunRecord, { name: stage, title }: StageFacts): Html {
  const { epochs: count, steps, durationMs } = summariseStage(epochs, stage)!;
  const last = epochs.filter((record) => record.stage === stage && record.draw === 0).at(-1)!;
  const chart = (quantity: 'accuracy' | 'loss') => {
    const figure = quantity === 'accuracy' ? formatPercent : formatLoss;
    const val = last.val === undefined ? '' : `, validation ${figure(last.val[quantity])}`;
    return chartSvg(
      `${stage}-${quantity}`,
      learningCurveOption(epochs, stage, quantity, cssTheme),
      `${title}: ${quantity} after ${countOf(count, 'epoch')}: training ${figure(last.train[quantity])}${val}`,
    );
  };
  const pile = last.pile;
  const charts =
    pile === undefined
      ? [chart('accuracy'), chart('loss')]
      : [
          chartSvg(
            `${stage}-accuracy`,
            learningCurveOption(epochs, stage, 'accuracy', cssTheme),
            `${title}: after ${countOf(count, 'epoch')}, ${formatPercent(last.train.accuracy)} of the labels, and agreement on ${formatPercent(pile.agreement)} of the pile`,
          ),
          chartSvg(
            `${stage}-information`,
            informationOption(epochs, stage, exhibits.classCounts.length || 10, cssTheme),
            `${title}: information on the pile after ${countOf(count, 'epoch')}: ${formatLoss(pile.information)} nats`,
          ),
        ];
  return html`<figure class="curves">
    <figcaption><b>${title}</b><span>${countOf(count, 'epoch')}, ${countOf(steps, 'step')}, ${formatDuration(durationMs)}</span></figcaption>
    <div class="pair">${charts}</div>
  </figure>
  `;
}

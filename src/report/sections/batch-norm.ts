import type { RunRecord } from '../../store/run-record.js';
import { chartSvg, cssTheme } from '../chart-svg.js';
import { retentionOption } from '../charts.js';
import { notebookOf } from '../comparison.js';
import { countOf, formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { labelCount, numberAt, settingAt, summariseStage } from '../run-facts.js';
import { section } from '../section.js';

/** Momentum and steps of the notebook's baseline. */
const notebookMomentum = 0.99;
const notebookSteps = 20;

/** Test accuracy that re-estimation must regain before it counts as an effect. */
const minGain = 0.02;

/** Why the supervised baseline looks worse than it is, with this run's numbers. */
export function batchNormSection(record: RunRecord): Html | null {
  const { baseline, baselineReestimated, fineTune, scratch } = record.result;
  // Without a test set, nothing shows the trap.
  if (!baseline?.test) return null;
  const notebook = notebookOf(record.config);
  const { momentum, steps } = baselineFacts(record);
  const left = momentum ** steps;
  const asIs = baseline.test.accuracy;
  return section('The baseline’s trap', {
    body: html`<div class="beside">
  <div>
  <p>Trained from scratch on the same ${countOf(labelCount(record), 'image')}, the network gets ${formatPercent(baseline.train.accuracy)} of them right, and <b>${formatPercent(asIs)}</b> of the test images. ${notebook ? `The notebook, with ${formatPercent(notebook.baseline.test.accuracy)}, calls this overfitting.` : 'That looks like overfitting.'} ${overfittingAnswer(record, notebook !== null)}</p>
  <p>A network with batch normalisation is evaluated with moving averages of each channel’s mean and variance. They start at 0 and 1 and take in ${formatShare(1 - momentum)} of each batch’s own. After ${countOf(steps, 'step')} at momentum ${momentum},</p>
  <p class="equation">${momentum}<sup>${steps}</sup> ${left < minShare ? '<' : '='} <b>${formatShare(left)}</b></p>
  <p>of those initial values ${left < 0.005 ? 'are left, next to nothing' : 'are still in them'}.${left > 0.1 && ' The network is judged with statistics that are not its own.'}${notebook && (momentum !== notebookMomentum || steps !== notebookSteps) ? ` (In the notebook: ${formatPercent(notebookMomentum ** notebookSteps, 0)} after ${notebookSteps} steps at ${notebookMomentum}.)` : ''}</p>
  ${baselineReestimated?.test && html`<p>${verdict(asIs, baselineReestimated.test.accuracy, fineTune?.test?.accuracy, scratch?.test?.accuracy)}</p>`}
  </div>
  <figure>${chartSvg('retention', retentionOption(momentum, steps, cssTheme), `Initial value left in the moving statistics after ${countOf(steps, 'step')}: ${formatPercent(left, 0)}`)}<figcaption>What the moving statistics still hold of their initial values during the baseline’s training.</figcaption></figure>
  </div>
  ${notebook && splitNote(record)}`,
  });
}

/** Steps and BatchNorm momentum of the baseline: from the settings, else from its epochs, else the notebook's. */
export function baselineFacts({ config, epochs }: RunRecord): { momentum: number; steps: number } {
  const steps =
    numberAt(config, ['baselineSteps'], ['baseline', 'steps']) ??
    summariseStage(epochs, 'baseline')?.steps ??
    notebookSteps;
  const momentum =
    numberAt(config, ['baseline', 'batchNormMomentum'], ['network', 'batchNormMomentum']) ?? notebookMomentum;
  return { momentum, steps };
}

/** Whether overfitting explains the baseline, judged by the re-estimated statistics. */
function overfittingAnswer(
  { result: { baseline, baselineReestimated } }: RunRecord,
  besideNotebook: boolean,
): string {
  if (!baseline?.test || !baselineReestimated?.test) return 'There is another cause.';
  const missing = baseline.train.accuracy - baseline.test.accuracy;
  const regained = baselineReestimated.test.accuracy - baseline.test.accuracy;
  if (regained > missing / 2) return 'It mostly is not.';
  if (regained > minGain) return 'That is only a part of it.';
  return besideNotebook ? 'Here it is; there it mostly was not.' : 'It is.';
}

function verdict(
  asIs: number,
  reestimated: number,
  fineTuned: number | undefined,
  scratch: number | undefined,
): Html {
  const gain = reestimated - asIs;
  const points = `${Math.abs(gain * 100).toFixed(1)} points`;
  const effect =
    gain > minGain
      ? html`The same weights with statistics re-estimated from the same training images reach <b>${formatPercent(reestimated)}</b>: ${points} were bookkeeping, not learning.`
      : html`The same weights with statistics re-estimated from the same training images reach <b>${formatPercent(reestimated)}</b>, ${points} ${gain < 0 ? 'less' : 'more'}: in this run the averages had caught up.`;
  if (fineTuned === undefined) return effect;
  if (scratch !== undefined) {
    return html`${effect} With fine-tuning’s schedule and augmentation, the same labels reach <b>${formatPercent(scratch)}</b> from random weights. Compare the fine-tuned network’s ${formatPercent(fineTuned)} with that figure.`;
  }
  return html`${effect} That is the baseline for the fine-tuned network’s ${formatPercent(fineTuned)}, as far as both were trained alike: the settings below say how.`;
}

function splitNote({ config }: RunRecord): Html | null {
  const split = settingAt(config, ['pretrain', 'split']);
  if (split === 'copy') {
    return html`<aside><b>One more thing to know.</b> As in the notebook, the rotation task’s validation images were split off copy by copy: the same image can be in training in one rotation and in validation in another. That leaks, and flatters the validation accuracy. The test figures are not touched by it.</aside>`;
  }
  if (split === 'image') {
    return html`<aside><b>One leak closed.</b> The notebook splits the rotation task’s validation set copy by copy, so that one image can stand on both sides in different rotations. This run keeps the four rotations of an image together: its validation accuracy does not leak.</aside>`;
  }
  return null;
}

/** Less than this is given as a bound. */
const minShare = 0.0001;

/** A share in per cent with two significant digits: 0.82, 0.01 -> `82 %`, `1 %`. */
export function formatShare(share: number): string {
  return `${Number((Math.max(share, minShare) * 100).toPrecision(2))} %`;
}

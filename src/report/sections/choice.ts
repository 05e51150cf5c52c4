import type { Estimate, Evidence, RunRecord } from '../../store/run-record.js';
import { descriptionText } from '../description-text.js';
import { countOf, formatInterval, formatPercent, formatWithin } from '../format.js';
import { type Html, html } from '../html.js';
import { invarianceText } from '../invariance-text.js';
import { titleOf } from '../run-facts.js';
import { section } from '../section.js';
import { wilsonInterval } from '../statistics.js';

/** The classifier that was kept, the estimate of it, the evidence from held-back labels, and the stages that failed. */
export function choiceSection({ result, stages }: RunRecord): Html | null {
  const { evidence, estimate, failures, final, mixture, description, invariances } = result;
  if (evidence.length === 0 && failures.length === 0) return null;
  const row = (entry: Evidence) => {
    const interval = wilsonInterval(entry.found, entry.of);
    return html`<tr><th scope="row">${titleOf(stages, entry.stage)}</th><td><b>${formatWithin(entry.found / entry.of, interval)}</b></td><td>${formatInterval(interval)}</td><td class="quiet">${entry.stage === final?.stage && 'kept'}</td></tr>
    `;
  };
  return section('How the classifier was chosen', {
    body: html`${
      evidence.length > 0 &&
      html`<p>The labels were divided into parts. Each part in turn was held back while each way of learning was tried on the rest, self-training in fewer steps; the networks then classified the labels that they had not seen. No test image took part. A mixture is kept unless another is better by two standard errors on the same labels; else, of all that are within one standard error of the best, the classifier that learned from the most images is kept; one that has lost a class which it still gave while it was tried has to be ahead of every other. The intervals are Wilson’s for the counts alone; what is to be expected of the classifier that was kept stands below.</p>
  <div class="scroll"><table class="comparison">
    <thead><tr><th scope="col">Classifier</th><th scope="col">Held-back labels correct</th><th scope="col">95 % interval</th><th scope="col"></th></tr></thead>
    <tbody>${evidence.map(row)}</tbody>
  </table></div>
  ${mixture && mixture.members.length > 0 && mixtureText(mixture, { stages, isKept: final?.stage === 'mixture' })}
  ${invariances.map((invariance) => html`<p>${invarianceText(invariance)}</p>`)}
  ${description && description.compared.length > 0 && html`<p>${descriptionText(description)}</p>`}
  ${estimate && estimateText(estimate)}`
    }
  ${failures.map(
    ({ stage, draw, reason }) =>
      html`<p><b>${titleOf(stages, stage)}${draw > 0 && `, draw ${draw},`}</b> failed: ${reason}</p>`,
  )}`,
  });
}

function mixtureText(
  { members }: NonNullable<RunRecord['result']['mixture']>,
  { stages, isKept }: Pick<RunRecord, 'stages'> & { readonly isKept: boolean },
): Html {
  const parts = members.map(({ stage, share }) => `${titleOf(stages, stage)} ${formatPercent(share, 0)}`);
  return html`<p>Shares in the mixture, as the held-back labels ask for: ${parts.join(', ')}. Each part is calibrated by itself.${isKept && ` Every image that is classified goes through ${members.length} networks, and takes the time of all of them.`}</p>`;
}

function estimateText(estimate: Estimate): Html {
  return html`<p><b>Estimate of the classifier that was kept: ${formatWithin(estimate.accuracy, estimate)} of images right, with ${formatPercent(estimate.level, 0)} confidence ${formatInterval(estimate)}.</b> It is made from ${countOf(estimate.heldBack, 'label')} held back. The interval reaches further than the one above. Upwards, because what is kept learned from all labels, and longer, and where its answers for the pile differ from those of the networks that were tried, it may be the one that is right; downwards, because the best of several looks better than it is. It holds for images like those that were learned from: pictures from elsewhere may be harder.</p>`;
}

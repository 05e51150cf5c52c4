import type { Evidence, RunRecord } from '../../store/run-record.js';
import { formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { titleOf } from '../run-facts.js';
import { section } from '../section.js';
import { wilsonInterval } from '../statistics.js';

/** The classifier that was kept, the evidence from held-back labels, and the stages that failed. */
export function choiceSection({ result, stages }: RunRecord): Html | null {
  const { evidence, failures, final } = result;
  if (evidence.length === 0 && failures.length === 0) return null;
  return section('How the classifier was chosen', {
    body: html`${
      evidence.length > 0 &&
      html`<p>The labels were divided into parts. Each part in turn was held back while a network learned from the rest, and that network then classified it. For self-training, its teacher was tested in this way. No test image took part. The interval is Wilson's, for labels drawn as these were.</p>
  <div class="scroll"><table class="comparison">
    <thead><tr><th scope="col">Classifier</th><th scope="col">Held-back labels correct</th><th scope="col">95 % interval</th><th scope="col"></th></tr></thead>
    <tbody>${evidence.map((entry) => evidenceRow(entry, titleOf(stages, entry.stage), entry.stage === final?.stage))}</tbody>
  </table></div>`
    }
  ${failures.map(
    ({ stage, draw, reason }) =>
      html`<p><b>${titleOf(stages, stage)}${draw > 0 && `, draw ${draw},`}</b> failed: ${reason}</p>`,
  )}`,
  });
}

function evidenceRow({ found, of }: Evidence, title: string, isKept: boolean): Html {
  const { low, high } = wilsonInterval(found, of);
  return html`<tr><th scope="row">${title}</th><td><b>${formatPercent(found / of, 1)}</b></td><td>${formatPercent(low, 1)} – ${formatPercent(high, 1)}</td><td class="quiet">${isKept && 'kept'}</td></tr>
    `;
}

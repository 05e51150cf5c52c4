import type { RunRecord } from '../../store/run-record.js';
import { countOf, formatPercent } from '../format.js';
import { type Html, html } from '../html.js';
import { reliabilityChart } from '../reliability-chart.js';
import { section } from '../section.js';

/** How far the saved classifier's probabilities can be taken at their word; null for runs that measured nothing of it. */
export function calibrationSection({ result: { calibration } }: RunRecord): Html | null {
  if (calibration === null) return null;
  const { temperature, heldBack, eceBefore, eceAfter, logLossBefore, logLossAfter, bins } = calibration;
  const reliability = { bins, expectedCalibrationError: eceAfter, count: heldBack };
  const change =
    temperature > 1
      ? 'less sure of itself than'
      : temperature < 1
        ? 'surer of itself than'
        : 'as sure of itself as';
  return section('How sure it may be', {
    body: html`<p>Of the images for which the classifier names a probability of 80 %, about 80 % should be right. To that end a temperature of <b>${temperature.toFixed(2)}</b> makes it ${change} training left it: the network’s outputs, called logits, are divided by it before they become probabilities, which changes no answer. It was fitted to ${countOf(heldBack, 'label')} held back, as answered by networks that had not seen them: their expected calibration error, the mean distance between the probability and the share that was right, went from ${formatPercent(eceBefore, 1)} to <b>${formatPercent(eceAfter, 1)}</b>. Their cross-entropy, the lower the more probable the right answers were, went from ${logLossBefore.toFixed(3)} to ${logLossAfter.toFixed(3)} nats (natural units: ln 2 for a coin’s two sides).</p>
  <figure>${reliabilityChart('reliability', reliability)}
    <figcaption>Held-back labels by the confidence of their answers, and the share of them that was right, with Wilson's 95 % interval. On the dotted line both are the same.</figcaption>
  </figure>`,
  });
}

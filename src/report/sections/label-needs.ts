import type { RunRecord } from '../../store/run-record.js';
import { className } from '../class-name.js';
import { type Html, html } from '../html.js';
import { classNeedTexts, needsBasis } from '../label-needs-text.js';
import { titleOf } from '../run-facts.js';
import { section } from '../section.js';

/**
 * The classes of which more labels would help most, and how much is to be given on it; left out where none stands out.
 *
 * What it was worth where it was tried is measured in docs/recipes.md ("Which labels"): how sure a class is of its rank says
 * only how much the labels that were held back leave to chance.
 */
export function labelNeedsSection({ needs, result, stages }: RunRecord): Html | null {
  const texts = needs ? classNeedTexts(needs) : [];
  if (needs === undefined || texts.length === 0) return null;
  const among = needs.first === 1 ? 'the first' : `among the first ${needs.first}`;
  const names = texts.map(({ className: name }, i) => [i > 0 && ', ', className(name)]);
  return section('Which labels would help', {
    body: html`<p>More labels of ${names} would probably help most, as far as ${needsBasis(needs, titleOf(stages, needs.stage)).join(' and ')} can tell. It is an indication and not more: where it was tried, with about a hundred labels of ten classes, 39 % of the classes that were named were among the three that gained most; by chance it would have been 30 %. <code>quarterturn suggest ${result.run}</code> chooses images to label.</p>
  <div class="scroll"><table class="names">
    <thead><tr><th scope="col">Class</th><th scope="col" class="name">Why</th></tr></thead>
    <tbody>${texts.map(
      ({ className: name, why }) =>
        html`<tr><th scope="row">${className(name)}</th><td class="name">${why}</td></tr>
    `,
    )}</tbody>
  </table></div>
  <p class="note">Sure: how often the class stays ${among} when the held-back labels are drawn anew.</p>`,
  });
}

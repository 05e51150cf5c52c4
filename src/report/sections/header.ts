import type { RunRecord } from '../../store/run-record.js';
import { imageDataUri } from '../bitmap.js';
import { notebookOf } from '../comparison.js';
import {
  absent,
  countOf,
  formatCount,
  formatDuration,
  formatInterval,
  formatPercent,
  formatWithin,
} from '../format.js';
import { type Html, html } from '../html.js';
import {
  isPretrainingAlone,
  keptFigure,
  labelCount,
  runName,
  selfTrainingOf,
  selfTrainingStart,
  settingAt,
  startOf,
  unlabelledCount,
} from '../run-facts.js';

/** Title, what this is, which run it was; the figure that matters, and two beside it. */
export function headerSection(record: RunRecord): Html {
  const { result, config } = record;
  const notebook = notebookOf(config);
  const labels = labelCount(record);
  const isAlone = isPretrainingAlone(record);
  const start = startOf(config);
  return html`<header>
  <div class="masthead">
    <p class="brand">${brandMark}Quarterturn</p>
    ${turns(record)}
    <h1>Label a hundred images.<br>Classify the rest.</h1>
    <p class="byline"><strong>${runName(result.run)}</strong><span>${result.preset} preset</span><span>seed ${result.seed}</span>${start !== null && html`<span>${start}</span>`}<span>${formatDuration(result.durationMs)}</span></p>
  </div>
  <dl class="headlines">
    ${!isAlone && keptHeadline(record, `${formatCount(labels)}-label`, notebook?.fineTune.test.accuracy)}
    ${pretextHeadline(record, notebook?.pretext.test.accuracy)}
    ${!isAlone && baselineHeadline(record, notebook?.baseline.test.accuracy)}
  </dl>
  <p class="lead">A quarter turn is 90°. To tell how many of them an unlabelled image was given, a network has to see what the image shows. ${isAlone ? 'This run learned that, from images alone: no label took part.' : toldText(record, labels)}</p>
</header>`;
}

/** What was learned from the labels; what comes before is told in the lead. */
function toldText(record: RunRecord, labels: number): string {
  const told = `told the classes of ${countOf(labels, 'image')}${selfTrainingText(record)} Here is how far that carried.`;
  const { pretext, final, fineTune, baseline } = record.result;
  if (pretext !== null || (final ?? fineTune ?? baseline) === null) {
    return `This run learned that first, from images alone; then it was ${told}`;
  }
  const before = settingAt(record.config, ['backboneFrom', 'run']);
  return typeof before === 'string' && fineTune !== null
    ? `A network had learned that in another run, ${before}; in this one it was ${told}`
    : `This run did without: its network was ${told}`;
}

/** The kept classifier: on the test set, the estimate below; without a test set, the estimate, and that it is one. */
function keptHeadline(record: RunRecord, labels: string, notebook: number | undefined): Html {
  const { final, fineTune, estimate } = record.result;
  const test = (final ?? fineTune)?.test?.accuracy;
  const interval = estimate && `${formatInterval(estimate)} by held-back labels`;
  if (test === undefined && estimate) {
    return headline(
      `${labels} accuracy, an estimate`,
      formatWithin(estimate.accuracy, estimate),
      `${interval}, no test set; ${finalNote(record)}`,
      notebook,
    );
  }
  const note = interval ? `${finalNote(record)}; estimate ${interval}` : finalNote(record);
  return headline(`${labels} test accuracy`, shown(test), note, notebook);
}

/** The pretext task on the test set, or on the images that pretraining kept for validation where there is none. */
function pretextHeadline({ result: { pretext } }: RunRecord, notebook: number | undefined): Html {
  const isTested = pretext === null || pretext.test !== null;
  const title = isTested ? 'Rotation test accuracy' : 'Rotation validation accuracy';
  const { accuracy } = pretext?.test ?? pretext?.val ?? {};
  return headline(title, shown(accuracy), 'four ways to turn an image, no labels', notebook);
}

/** The baseline on the test set; there is nothing to tell of it where there is none. */
function baselineHeadline(record: RunRecord, notebook: number | undefined): Html | false {
  const { baseline } = record.result;
  if (baseline !== null && baseline.test === null) return false;
  return headline('Supervised baseline', shown(baseline?.test?.accuracy), baselineNote(record), notebook);
}

const shown = (accuracy: number | undefined): string | undefined =>
  accuracy === undefined ? undefined : formatPercent(accuracy);

/** @param accuracy as it is to be shown; undefined if there is none */
function headline(
  label: string,
  accuracy: string | undefined,
  note: string,
  notebook: number | undefined,
): Html {
  const [figure, unit] = accuracy === undefined ? [absent, ''] : accuracy.split(' ');
  return html`<div><dt>${label}</dt><dd class="figure">${figure}<small>${unit}</small></dd><dd class="note">${accuracy === undefined ? 'not run' : note}</dd>${notebook !== undefined && html`<dd class="note">notebook ${formatPercent(notebook)}</dd>`}</div>
    `;
}

/** How the lead's sentence on the labels ends, and what else there is to say. */
function selfTrainingText({ config, result }: RunRecord): string {
  if (result.selfTrain === null) return '.';
  return selfTrainingStart(config) === 'scratch'
    ? '. Beside it, a network that was told the same classes and nothing else taught itself the rest.'
    : ', and from there it taught itself the rest.';
}

/** Which stage the saved classifier comes from. */
function finalNote(record: RunRecord): string {
  const kept = keptFigure(record);
  const keptAlone =
    kept === 'linearProbe'
      ? 'a linear head on a frozen encoder'
      : kept === 'scratch'
        ? 'trained on the labels alone'
        : 'pretrained, then fine-tuned';
  const unlabelled = unlabelledCount(record);
  const selfTrained =
    unlabelled > 0
      ? `self-trained on ${countOf(unlabelled, 'unlabelled image')}`
      : selfTrainingStart(record.config) === 'scratch'
        ? 'trained on the labels, then self-trained'
        : 'pretrained, fine-tuned, self-trained';
  switch (selfTrainingOf(record)) {
    case 'chosen':
      return selfTrained;
    case 'mixed':
      return `${selfTrained}, mixed with the fine-tuned`;
    case 'none':
      return keptAlone;
    default:
      return `${keptAlone}: self-training did not help`;
  }
}

function baselineNote({ result }: RunRecord): string {
  const reestimated = result.baselineReestimated?.test?.accuracy;
  return reestimated === undefined
    ? 'the same labels, from scratch'
    : `${formatPercent(reestimated)} with its statistics re-estimated`;
}

/** A square and the arc of its quarter turn. */
export const brandMark = html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><rect x="1" y="9" width="14" height="14" rx="2.5"/><path d="M22 14C22 7.4 16.6 2 10 2"/><path d="M13.5-1.200 10 2l3.5 3.200"/></svg>`;

/** The run's first picture in four quarter turns, set counter-clockwise as it turns. */
function turns({ exhibits }: RunRecord): Html | null {
  const grid = exhibits.grids[0];
  const tile = grid?.tiles[0];
  if (grid === undefined || tile === undefined) return null;
  const image = imageDataUri(tile.pixels, grid, `report: grid "${grid.title}", tile 1`);
  const turn = (k: number) => html`<img src="${image}" alt="" style="rotate:${-90 * k}deg">`;
  return html`<div class="turns" aria-hidden="true">${[0, 3, 1, 2].map(turn)}</div>`;
}

import { isolated } from '../data/isolated-name.js';
import { toBase64 } from '../store/base64.js';
import type { ImageSize } from '../tensor/image-size.js';
import type { ShownPrediction } from '../train/classifier-evaluation.js';
import type { Reliability } from '../train/reliability.js';
import { className } from './class-name.js';
import { confusionFigure } from './confusion-figure.js';
import {
  accuracyOf,
  accuracyOverAll,
  type EvaluationRecord,
  unknownCount,
  unsureRows,
} from './evaluation-record.js';
import { absent, byCount, countOf, formatCount, formatPercent } from './format.js';
import { type Content, type Html, html } from './html.js';
import { page } from './page.js';
import { reliabilityChart } from './reliability-chart.js';
import { runName } from './run-facts.js';
import { section } from './section.js';
import { classMetricsSection } from './sections/class-metrics.js';
import { gridFigure, type ShownGrid } from './sections/grids.js';
import { brandMark } from './sections/header.js';

/**
 * Renders an evaluation as one self-contained HTML file: no script, no request.
 *
 * A pure function: the same record gives the same text.
 */
export function renderEvaluation(record: EvaluationRecord): string {
  const { evaluation, data, model } = record;
  return page({
    title: `${runName(model)} on ${runName(data)}`,
    header: header(record),
    main: [
      imagesSection(record),
      evaluation.cells.length > 0 &&
        section('Where it errs', {
          body: html`<p>A row is what the image was, a column what the model said. Blue is the share that it got right, red what it took for something else.</p>`,
          wide: html`<div class="matrices">${confusionFigure({ ...evaluation, title: '' })}</div>`,
        }),
      classMetricsSection(evaluation.classes),
      calibrationSection(evaluation.reliability),
      unknownSection(record),
      unsureSection(record),
      skippedSection(record),
    ],
    footer: html`Made by Quarterturn: <code>${model}</code> on <code>${data}</code>.`,
  });
}

function header({ model, data, part, unlabelled, evaluation }: EvaluationRecord): Html {
  const { accuracy, correct, total, interval } = accuracyOf(evaluation);
  const { macroF1, reliability } = evaluation;
  const unknown = unknownCount(evaluation);
  return html`<header>
  <div class="masthead">
    <p class="brand">${brandMark}Quarterturn</p>
    <h1>How well it<br>classifies.</h1>
    <p class="byline"><strong>${runName(model)}</strong><span>on ${runName(data)}</span><span>${countOf(total, 'image')} of ${countOf(evaluation.classNames.length, 'class')}</span></p>
  </div>
  <dl class="headlines">
    ${headline('Accuracy', accuracy, `${formatCount(correct)} of ${formatCount(total)} right; 95 % interval ${formatPercent(interval.low)} – ${formatPercent(interval.high)}`)}
    ${headline('Macro F1', macroF1, 'mean over the classes that have images, each counting alike')}
    ${headline('Calibration error', total === 0 ? null : reliability.expectedCalibrationError, 'mean distance between what it says of its certainty and how often it is right')}
  </dl>
  <p class="lead">These are ${part}.${unlabelled > 0 && ` ${formatCount(unlabelled)} more ${byCount(unlabelled, 'has no label and takes', 'have no label and take')} no part.`}${unknown > 0 && ` ${formatCount(unknown)} more ${byCount(unknown, 'is of a class that the model does not know; it is listed below and takes', 'are of classes that the model does not know; they are listed below and take')} part in no other figure.`} The interval is Wilson’s, for images drawn as these were.</p>
</header>`;
}

function headline(label: string, share: number | null, note: string): Html {
  const [figure, unit] =
    share === null || Number.isNaN(share) ? [absent, ''] : formatPercent(share).split(' ');
  return html`<div><dt>${label}</dt><dd class="figure">${figure}<small>${unit}</small></dd><dd class="note">${note}</dd></div>
    `;
}

/** Images side by side. */
const columns = 8;

function imagesSection({ evaluation, size }: EvaluationRecord): Html | null {
  const { mistakes, sample, total, correct } = evaluation;
  const all = total - correct === mistakes.length;
  const grids = [
    grid(
      all
        ? 'All mistakes, the surest ones first'
        : `The ${formatCount(mistakes.length)} surest of ${countOf(total - correct, 'mistake')}`,
      mistakes,
      size,
    ),
    grid('A sample of the other images', sample, size),
  ].filter(({ tiles }) => tiles.length > 0);
  if (grids.length === 0) return null;
  return section('What it saw, and what it said', {
    body: html`<p>Under each image stands the model’s answer with its probability. A red cross marks a mistake; the truth is in brackets.</p>`,
    wide: html`<div class="grids">${grids.map(gridFigure)}</div>`,
  });
}

function grid(title: string, shown: readonly ShownPrediction[], size: ImageSize): ShownGrid {
  return {
    title,
    columns,
    ...{ height: size.height, width: size.width, channels: size.channels },
    tiles: shown.map(({ name, label, predicted, confidence, pixels }) => ({
      pixels: toBase64(pixels),
      caption:
        label === predicted
          ? `${isolated(predicted)} ${formatPercent(confidence, 0)}`
          : `${isolated(predicted)} ${formatPercent(confidence, 0)} (${isolated(label)})`,
      wrong: label !== predicted,
      title: name,
    })),
  };
}

function calibrationSection(reliability: Reliability): Html | null {
  const bins = reliability.bins.filter(({ count }) => count > 0);
  if (bins.length === 0) return null;
  return section('What its probabilities are worth', {
    body: html`<div class="beside">
  <figure>${reliabilityChart('reliability', reliability)}<figcaption>Share of right answers over the probability that the model gave them. On the dotted line it is as sure as it should be, below it surer. Bars are 95 % intervals.</figcaption></figure>
  <div class="scroll"><table>
    <thead><tr><th scope="col">Confidence</th><th scope="col">Mean</th><th scope="col">Right</th><th scope="col">Images</th></tr></thead>
    <tbody>${bins.map(
      ({ low, high, meanConfidence, accuracy, count }) =>
        html`<tr><th scope="row">${(low * 100).toFixed(0)} – ${formatPercent(high, 0)}</th><td>${formatPercent(meanConfidence, 1)}</td><td>${formatPercent(accuracy, 1)}</td><td>${formatCount(count)}</td></tr>
    `,
    )}</tbody>
  </table></div>
  </div>
  <p>The expected calibration error is <b>${formatPercent(reliability.expectedCalibrationError)}</b>: the distance between the two columns, weighted by images.</p>`,
  });
}

/** Entries of a list of things that are only counted otherwise. */
const listed = 50;

function unknownSection({ evaluation }: EvaluationRecord): Html | null {
  const { unknownClasses } = evaluation;
  if (unknownClasses.length === 0) return null;
  const all = accuracyOverAll(evaluation);
  return section('Classes it does not know', {
    body: html`<p>The model has no output for these classes, so that whatever it says of their images is wrong. Counted as mistakes, they make the accuracy <b>${formatPercent(all.accuracy)}</b> of ${countOf(all.total, 'image')}.</p>
  <div class="scroll"><table class="names">
    <thead><tr><th scope="col">Class</th><th scope="col">Images</th><th scope="col" class="name">mostly taken for</th></tr></thead>
    <tbody>${unknownClasses.slice(0, listed).map(
      ({ name, count, takenFor }) =>
        html`<tr><th scope="row">${className(name)}</th><td>${formatCount(count)}</td><td class="name">${commaSeparated(takenFor.slice(0, 3).map((said) => html`${className(said.name)} (${formatCount(said.count)})`))}</td></tr>
    `,
    )}</tbody>
  </table></div>${more(unknownClasses.length, 'class')}`,
  });
}

function unsureSection({ evaluation: { unsure } }: EvaluationRecord): Html | null {
  if (unsure === null) return null;
  return section('What it is unsure of', {
    body: html`<p>Below a probability of <b>${unsure.threshold.toFixed(2)}</b>, which its file says, the model is unsure of an image, and so it is of one that is unlike all that had a label. It should be of those that it would get wrong, and of those that show none of its classes.</p>
  <div class="scroll"><table>
    <thead><tr><th scope="col">Images</th><th scope="col">All</th><th scope="col">Unsure</th><th scope="col">Share</th></tr></thead>
    <tbody>${unsureRows(unsure).map(
      (row) =>
        html`<tr><th scope="row">${row.what}</th><td>${formatCount(row.count)}</td><td>${formatCount(row.unsure)}</td><td>${formatPercent(row.share, 1)}</td></tr>
    `,
    )}</tbody>
  </table></div>`,
  });
}

function skippedSection({ skipped }: EvaluationRecord): Html | null {
  if (skipped.length === 0) return null;
  return section('Set aside', {
    body: html`<p>${countOf(skipped.length, 'file')} could not be used and took no part.</p>
  <div class="scroll"><table class="names">
    <thead><tr><th scope="col">File</th><th scope="col" class="name">Reason</th></tr></thead>
    <tbody>${skipped.slice(0, listed).map(({ name, reason }) => html`<tr><th scope="row">${className(name, 80)}</th><td class="name">${reason}</td></tr>`)}</tbody>
  </table></div>${more(skipped.length, 'file')}`,
  });
}

function more(count: number, noun: string): Html | null {
  return count > listed ? html`<p class="note">and ${countOf(count - listed, `more ${noun}`)}.</p>` : null;
}

function commaSeparated(parts: readonly Html[]): Content {
  return parts.map((part, i) => (i === 0 ? part : html`, ${part}`));
}

import { stripVTControlCharacters } from 'node:util';
import { activityOf } from '../recipes/stages/registry.js';
import {
  countOf,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
} from '../report/format.js';
import type { RunEvent, RunEventListener } from '../store/run-event.js';
import type { EpochRecord, Metrics, PileMetrics } from '../store/run-record.js';
import { sentencesOf } from './run-sentences.js';
import { createStyles, type Styles, type TerminalTraits } from './terminal.js';

type StageStart = Extract<RunEvent, { type: 'stage-start' }>;
type Step = Extract<RunEvent, { type: 'step' }>;
type Pass = Extract<RunEvent, { type: 'pass' }>;

/** A piece of a line. Where not all fit, those of the highest rank go first. */
interface Part {
  readonly text: string;
  readonly rank: number;
  readonly style?: (text: string) => string;
  /** Present for a bar, which takes whatever room is left: how much of it is done, 0–1. */
  readonly bar?: number;
}

const gap = '  ';
const minBarWidth = 8;
const maxBarWidth = 30;
const minRedrawMs = 100;
/** Right of a live line: terminals write ^C there, and some wrap as soon as the last column is filled. */
const freeColumns = 3;

export interface ProgressOptions extends TerminalTraits {
  readonly stream: { write(text: string): unknown };
  /** Milliseconds, never running backwards. */
  readonly now?: () => number;
}

export interface Progress {
  readonly listener: RunEventListener;
  /** Say one line that lasts. */
  note(text: string): void;
  /** Clear the live line, which the next event draws again; call it before anything else is printed. */
  clear(): void;
  /** Clear the live line for good, also after an error. */
  end(): void;
}

/** On a terminal only about this many epochs of a stage get a lasting line. */
const maxEpochLines = 20;
/** Elsewhere all epochs of a stage do where they are so few, and of more only a sign of life now and then. */
const fewEpochs = 3;
const signOfLifeMs = 30_000;

/**
 * Show events as they come: on a terminal one live line, rewritten at most ten times a second, above it a lasting
 * line for each stage, epoch (of many short ones some), evaluation and fact; elsewhere only lasting lines, free of
 * control codes, and fewer of them: in a log, nobody watches how an epoch goes.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { stream, isTTY, now = () => performance.now() } = options;
  const styles = createStyles(options.color);
  let epochs: number | undefined;
  // From an epoch's first step to its record, which tells what its validation found.
  let inEpoch = false;
  // What the stage knew of the unlabelled pile after its last epoch.
  let pile: PileMetrics | undefined;
  // The stage's last epoch that got a lasting line.
  let epochTold = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let printedAt = Number.NEGATIVE_INFINITY;
  let live = false;
  let ended = false;

  const clear = (): void => {
    if (live) stream.write('\r\x1b[K');
    live = false;
  };
  const lastingWidth = (): number => (isTTY ? options.columns() : Number.POSITIVE_INFINITY);
  const print = (line: string): void => {
    clear();
    stream.write(`${wrapped(line, lastingWidth())}\n`);
    printedAt = now();
  };
  const isTold = (epoch: number): boolean => {
    if (isTTY) return isRound(epoch, epochs);
    if (epochs === undefined || epochs <= fewEpochs) return true;
    const tenth = (n: number) => Math.floor((10 * n) / epochs!);
    return tenth(epoch) > tenth(epochTold) && now() - printedAt >= signOfLifeMs;
  };
  const draw = (format: (width: number) => string): void => {
    if (!isTTY || ended || now() - drawnAt < minRedrawMs) return;
    drawnAt = now();
    live = true;
    stream.write(`\r${format(options.columns() - freeColumns)}\x1b[K`);
  };

  const note = (text: string): void => print(oneLine(text));
  const listener: RunEventListener = (event) => {
    switch (event.type) {
      case 'stage-start':
        epochs = event.epochs;
        inEpoch = false;
        pile = undefined;
        epochTold = 0;
        return print(formatStageStart(event, styles));
      case 'step':
        inEpoch = true;
        return draw((width) => formatStep(event, epochs, width, styles, pile));
      case 'pass':
        return draw((width) => formatPass(event, width, styles));
      case 'epoch-end': {
        inEpoch = false;
        pile = event.record.pile;
        if (!isTold(event.record.epoch)) return;
        epochTold = event.record.epoch;
        return print(formatEpoch(event.record, epochs, lastingWidth(), styles));
      }
      case 'evaluated':
        if (inEpoch) return;
        return print(formatEvaluation(event.title, event.metrics, styles));
      default:
        for (const sentence of sentencesOf(event)) note(sentence);
    }
  };
  const end = (): void => {
    ended = true;
    clear();
  };
  return { listener, note, clear, end };
}

/** Whether an epoch is one of about {@link maxEpochLines}: every one of few, else every 2nd, 5th, 10th ... and the last. */
function isRound(epoch: number, epochs = 1): boolean {
  let every = 1;
  for (let i = 0; epochs / every > maxEpochLines; i++) every = [2, 5, 10][i % 3]! * 10 ** Math.floor(i / 3);
  return epoch % every === 0 || epoch === epochs;
}

/** `Pretraining on rotations  20 epochs, 29,960 steps, resumed after step 3,000`. */
export function formatStageStart(event: StageStart, styles: Styles): string {
  const { draw, fromStep, totalSteps } = event;
  const title = draw > 0 ? `${event.title}, draw ${draw}` : event.title;
  const size = `${countOf(event.epochs, 'epoch')}, ${countOf(totalSteps, 'step')}`;
  const resumed = fromStep >= totalSteps ? ', done before' : `, resumed after step ${formatCount(fromStep)}`;
  return styles.bold(oneLine(title)) + gap + styles.dim(fromStep > 0 ? size + resumed : size);
}

/**
 * The live line while a stage trains: as much of it as fits into `width` columns.
 * @param pile what self-training knew of the unlabelled pile after its last epoch; its objective is no figure for people
 */
export function formatStep(
  event: Step,
  epochs: number | undefined,
  width: number,
  styles: Styles,
  pile?: PileMetrics,
): string {
  const { metrics, step, totalSteps, runEtaMs: etaMs = event.etaMs } = event;
  return fitLine(
    [
      { rank: 6, text: activityOf(event.stage), style: styles.dim },
      { rank: 0, text: epochOf(event.epoch, epochs), style: styles.bold },
      { rank: 5, text: '', bar: step / totalSteps },
      { rank: 7, text: `${formatCount(step)}/${formatCount(totalSteps)}`, style: styles.dim },
      { rank: 4, text: formatRate(event.imagesPerSecond) },
      ...(event.stage === 'selfTrain' && Number.isFinite(metrics.loss)
        ? [
            { rank: 3, text: `labels ${formatPercent(metrics.accuracy, 1)}` },
            ...(pile === undefined ? [] : [{ rank: 2, text: agreementText(pile, 1) }]),
          ]
        : [lossPart(2, metrics, styles), { rank: 3, text: `acc ${formatPercent(metrics.accuracy, 1)}` }]),
      { rank: 1, text: `ETA ${formatDuration(etaMs)}` },
    ],
    width,
  );
}

/** The live line of a pass without training: title, bar, per cent, images a second, ETA. */
export function formatPass(pass: Pass, width: number, styles: Styles): string {
  const { title, done, total, runEtaMs: etaMs = pass.etaMs, imagesPerSecond } = pass;
  const fraction = total > 0 ? done / total : 1;
  return fitLine(
    [
      { rank: 0, text: oneLine(title), style: styles.bold },
      { rank: 3, text: '', bar: fraction },
      { rank: 1, text: formatPercent(fraction, 0) },
      ...(imagesPerSecond === undefined ? [] : [{ rank: 4, text: formatRate(imagesPerSecond) }]),
      ...(etaMs === undefined ? [] : [{ rank: 2, text: `ETA ${formatDuration(etaMs)}` }]),
    ],
    width,
  );
}

/**
 * `epoch  3/20  train 87.65 %  loss 0.4321  val 90.12 %  loss 0.3210  812 images/s  1 min 12 s`, or of self-training
 * `epoch 3/4  labels 99.10 %  pile agrees 95.20 %  information 2.113  812 images/s  1 min 12 s`.
 */
export function formatEpoch(
  record: EpochRecord,
  epochs: number | undefined,
  width: number,
  styles: Styles,
): string {
  const { train, val, pile } = record;
  const valParts: Part[] =
    val === undefined
      ? []
      : [
          { rank: 1, text: `val ${formatPercent(val.accuracy)}`, style: styles.green },
          lossPart(4, val, styles),
        ];
  const pileParts: Part[] =
    pile === undefined
      ? []
      : [
          { rank: 1, text: agreementText(pile, 2), style: styles.green },
          { rank: 4, text: `information ${pile.information.toFixed(3)}` },
        ];
  return fitLine(
    [
      { rank: 0, text: epochOf(record.epoch, epochs) },
      { rank: 2, text: `${pile ? 'labels' : 'train'} ${formatPercent(train.accuracy)}` },
      ...(pile ? [] : [lossPart(3, train, styles)]),
      ...valParts,
      ...pileParts,
      { rank: 6, text: formatRate(record.imagesPerSecond), style: styles.dim },
      { rank: 5, text: formatDuration(record.durationMs), style: styles.dim },
    ],
    width,
  );
}

/** `Rotation, test: accuracy 99.48 %, loss 0.0153`. */
export function formatEvaluation(title: string, { accuracy, loss }: Metrics, styles: Styles): string {
  const figure = styles.green(`accuracy ${formatPercent(accuracy)}`);
  return `${styles.bold(`${oneLine(title)}:`)} ${figure}, loss ${formatLoss(loss)}`;
}

/** `[=====>    ]`, exactly `width` columns: plain ASCII, which is one column a character everywhere. */
export function formatBar(fraction: number, width: number): string {
  const inside = width - 2;
  const done = Math.round(Math.min(Math.max(fraction || 0, 0), 1) * inside);
  const filled = done < inside && done > 0 ? `${'='.repeat(done - 1)}>` : '='.repeat(done);
  return `[${filled.padEnd(inside)}]`;
}

/** Join the parts of the lowest ranks that fit, in their given order; a first part that is too long is cut. */
function fitLine(parts: readonly Part[], width: number): string {
  const widthOf = (part: Part): number => (part.bar === undefined ? columnsOf(part.text) : minBarWidth);
  const [first, ...others] = [...parts].sort((a, b) => a.rank - b.rank);
  const chosen = new Set([first]);
  let used = widthOf(first!);
  for (const part of others) {
    // Stopping at the first that does not fit keeps less important parts from coming and going.
    if (used + gap.length + widthOf(part) > width) break;
    used += gap.length + widthOf(part);
    chosen.add(part);
  }
  const barWidth = Math.min(minBarWidth + width - used, maxBarWidth);
  return parts
    .filter((part) => chosen.has(part))
    .map(({ text, bar, style = (plain) => plain }) =>
      bar === undefined ? style(cut(text, width)) : formatBar(bar, barWidth),
    )
    .join(gap);
}

/** Upper bound of the columns that a text takes: letters beyond ASCII may be two wide. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += char < '\x7f' ? 1 : 2;
  return columns;
}

function cut(text: string, width: number): string {
  const chars = [...text];
  while (chars.length > 0 && columnsOf(chars.join('')) > width) chars.pop();
  return chars.join('');
}

/** Break a line between words so that none is wider, if it can be; a word that is too long stays whole, to be copied. */
function wrapped(line: string, width: number): string {
  const fits = (text: string): boolean => columnsOf(stripVTControlCharacters(text)) <= width;
  if (fits(line)) return line;
  const [first = '', ...words] = line.match(/\S+\s*/g) ?? [];
  const lines = [first];
  for (const word of words) {
    const longer = lines.at(-1)! + word;
    if (fits(longer.trimEnd())) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((each) => each.trimEnd()).join('\n');
}

/** Control characters in a title or file name must not reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function epochOf(epoch: number, epochs: number | undefined): string {
  return epochs === undefined
    ? `epoch ${epoch}`
    : `epoch ${`${epoch}`.padStart(`${epochs}`.length)}/${epochs}`;
}

function agreementText({ agreement }: PileMetrics, decimals: number): string {
  return `pile agrees ${formatPercent(agreement, decimals)}`;
}

function lossPart(rank: number, { loss }: Metrics, styles: Styles): Part {
  const text = `loss ${formatLoss(loss)}`;
  return Number.isFinite(loss) ? { rank, text } : { rank, text, style: styles.red };
}

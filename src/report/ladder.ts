import type { LadderStep, RunRecord } from '../store/run-record.js';
import { countOf, formatPercent } from './format.js';
import { keptFigure, selfTrainingOf, selfTrainingStart, settingAt, unlabelledCount } from './run-facts.js';

type Figure = LadderStep['figure'];

/** Change of a step's error against the step that it is compared with. */
interface Gain {
  readonly step: LadderStep;
  readonly before: LadderStep;
  readonly from: number;
  readonly to: number;
  /** Of the error before; negative where it grew. */
  readonly share: number;
}

/**
 * Which step of the ladder helped most and which least, judged by the share of the error that each found and took away:
 * `Self-training on 59,900 unlabelled images helped most: it took the error from 6.6 % to 1.1 %, …`.
 *
 * A step is compared with the one that it really went on from, and counts where the classifier that was kept came by
 * it. What is off that way is told apart: self-training that was not kept, and rotation pretraining where self-training
 * started without it.
 */
export function ladderText(record: RunRecord): string {
  const fate = selfTrainingOf(record);
  const gains = wayOf(record);
  const beside = gains.some(({ step }) => step.figure === 'fineTune') ? '' : pretrainingText(record);
  return [rankingText(gains, record), beside, fateText(fate)].filter(Boolean).join(' ');
}

/** Each step on the way to the classifier that was kept, with the one before it. */
function wayOf(record: RunRecord): Gain[] {
  const kept = keptFigure(record);
  const beyond: readonly Figure[] = ['selfTrain', 'mixture'];
  const steps = record.result.ladder.filter(
    ({ figure }) => !beyond.includes(figure) || beyond.indexOf(figure) <= beyond.indexOf(kept),
  );
  const gains: Gain[] = [];
  let step = steps.find(({ figure }) => figure === kept) ?? steps.at(-1);
  while (step) {
    const before = stepBefore(step, record);
    if (before) gains.unshift(gainOf(before, step));
    step = before;
  }
  return gains;
}

/** The step that a step is to be compared with: the same but for what gave it its name. */
function stepBefore({ figure }: LadderStep, record: RunRecord): LadderStep | undefined {
  const baselines: readonly Figure[] = ['baselineReestimated', 'baseline'];
  const candidates: Readonly<Record<Figure, readonly Figure[]>> = {
    baseline: [],
    baselineReestimated: ['baseline'],
    scratch: baselines,
    // Another way to learn from the same labels.
    linearProbe: ['scratch', ...baselines],
    // Without pretraining it is the same as from random weights, up to the seed.
    fineTune: isPretrained(record) ? ['scratch', ...baselines] : baselines,
    selfTrain: [
      ...(selfTrainingStart(record.config) === 'scratch' ? (['scratch'] as const) : []),
      ...(['fineTune', ...baselines] as const),
    ],
    mixture: ['selfTrain'],
  };
  const { ladder } = record.result;
  return candidates[figure].map((name) => ladder.find((step) => step.figure === name)).find(Boolean);
}

function isPretrained({ config }: RunRecord): boolean {
  return settingAt(config, ['finetune', 'from']) !== 'random';
}

function gainOf(before: LadderStep, step: LadderStep): Gain {
  const [from, to] = [1 - before.test.accuracy, 1 - step.test.accuracy];
  return { step, before, from, to, share: from > 0 ? 1 - to / from : Math.min(0, -to) };
}

function rankingText(gains: readonly Gain[], record: RunRecord): string {
  const ranked = [...gains].sort((a, b) => b.share - a.share);
  const [most, least] = [ranked[0], ranked.at(-1)];
  if (!most || !least) return '';
  const name = capitalised(nameOf(most, record));
  const first =
    most.share <= 0
      ? `${name} did not help: the error went from ${errorText(most.from)} to ${errorText(most.to)}`
      : `${name}${ranked.length > 1 ? ' helped most: it' : ''} took ${gainText(most)}`;
  if (ranked.length < 2) return `${first}.`;
  const errors = `${errorText(least.from)} to ${errorText(least.to)}`;
  const verdict =
    least.share > 0
      ? `helped least (${errors}, ${shareText(least.share)})`
      : `${least.share < 0 ? 'made it worse' : 'changed nothing'} (${errors})`;
  return `${first}; ${nameOf(least, record)} ${verdict}.`;
}

/** What pretraining bought where the classifier that was kept had none of it. */
function pretrainingText(record: RunRecord): string {
  const step = record.result.ladder.find(({ figure }) => figure === 'fineTune');
  const before = step && stepBefore(step, record);
  if (!step || before?.figure !== 'scratch') return '';
  const gain = gainOf(before, step);
  const bought =
    gain.share > 0
      ? `took ${gainText(gain)}`
      : `bought nothing: the error was ${errorText(gain.to)} with it and ${errorText(gain.from)} without`;
  const wentOn = record.result.selfTrain !== null && selfTrainingStart(record.config) === 'scratch';
  return `Beyond augmentation, rotation pretraining ${bought}${wentOn ? '; self-training started without it' : ''}.`;
}

function gainText({ from, to, share }: Gain): string {
  return `the error from ${errorText(from)} to ${errorText(to)}, ${shareText(share)} of what was left`;
}

function fateText(fate: ReturnType<typeof selfTrainingOf>): string {
  if (fate === 'stopped')
    return 'Self-training was stopped, since images of several classes ran together; what held-back labels spoke for was kept in its place.';
  if (fate === 'rejected')
    return 'Self-training was not kept: labels that were held back spoke for another classifier.';
  return '';
}

function nameOf({ step: { figure, step }, before }: Gain, record: RunRecord): string {
  const unlabelled = unlabelledCount(record);
  if (figure === 'selfTrain' && unlabelled > 0) {
    return `self-training on ${countOf(unlabelled, 'unlabelled image')}`;
  }
  // Beside the labels alone with the same schedule, what is new is the pretraining.
  if (figure === 'fineTune' && before.figure === 'scratch') return 'rotation pretraining';
  const name = step.replace(/^\+ /, '');
  // A subject that holds a comma is closed with one.
  return name.includes(',') ? `${name},` : name;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An error rate 0–1 with two digits that count: `46 %`, `6.6 %`, `0.94 %`. */
export function errorText(error: number): string {
  return formatPercent(error, error >= 0.0995 ? 0 : error >= 0.00995 ? 1 : 2);
}

const fractions: readonly (readonly [number, string])[] = [
  [1, 'all'],
  [9 / 10, 'nine tenths'],
  [5 / 6, 'five sixths'],
  [3 / 4, 'three quarters'],
  [2 / 3, 'two thirds'],
  [3 / 5, 'three fifths'],
  [1 / 2, 'half'],
  [2 / 5, 'two fifths'],
  [1 / 3, 'a third'],
  [1 / 4, 'a quarter'],
  [1 / 6, 'a sixth'],
  [1 / 10, 'a tenth'],
];

/** A share as people say it: `five sixths`, `about two thirds`, `next to nothing`. */
export function shareText(share: number): string {
  if (share < 0.05) return 'next to nothing';
  if (share > 0.95 && share < 1) return 'almost all';
  const [value, text] = fractions.reduce((best, fraction) =>
    Math.abs(fraction[0] - share) < Math.abs(best[0] - share) ? fraction : best,
  );
  return Math.abs(value - share) < 0.0125 ? text : `about ${text}`;
}

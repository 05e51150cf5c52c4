import type { LadderStep, RunRecord } from '../train/run-record.js';
import { formatCount, formatPercent } from './format.js';
import { selfTrainingOf, unlabelledCount } from './run-facts.js';

/** What a step did to the error of the one before it. */
interface Gain {
  readonly step: LadderStep;
  readonly from: number;
  readonly to: number;
  /** Of the error before; negative where it grew. */
  readonly share: number;
}

/**
 * Which step of the ladder helped most and which least, judged by the share of the error that each found and took away:
 * `Self-training on 59,900 unlabelled images helped most: it took the error from 6.6 % to 1.1 %, …`.
 *
 * A step whose classifier was not kept is told apart from the others.
 */
export function ladderText(record: RunRecord): string {
  const fate = selfTrainingOf(record);
  const { ladder } = record.result;
  const kept = ladder.filter(({ figure }) => figure !== 'selfTrain' || fate === 'chosen');
  const gains = kept
    .slice(1)
    .map((step, i) => gainOf(kept[i]!, step))
    .sort((a, b) => b.share - a.share);
  const [most, least] = [gains[0], gains.at(-1)];
  if (!most || !least) return fateText(fate);
  const first = `${capitalised(nameOf(most.step, record))}${gains.length > 1 ? ' helped most: it' : ''} took the error from ${errorText(most.from)} to ${errorText(most.to)}, ${shareText(most.share)} of what was left`;
  const last =
    gains.length < 2
      ? ''
      : `; ${nameOf(least.step, record)} helped least (${errorText(least.from)} to ${errorText(least.to)}${least.share > 0 ? `, ${shareText(least.share)}` : ''})`;
  return [`${first}${last}.`, fateText(fate)].filter(Boolean).join(' ');
}

function gainOf(before: LadderStep, step: LadderStep): Gain {
  const [from, to] = [1 - before.test.accuracy, 1 - step.test.accuracy];
  return { step, from, to, share: from > 0 ? 1 - to / from : 0 };
}

function fateText(fate: ReturnType<typeof selfTrainingOf>): string {
  if (fate === 'stopped')
    return 'Self-training was stopped, since images of several classes ran together; the fine-tuned classifier is the one that was kept.';
  if (fate === 'rejected')
    return 'Self-training was not kept: labels and pile did not speak for it, so that the fine-tuned classifier is the last word.';
  return '';
}

function nameOf({ figure, step }: LadderStep, record: RunRecord): string {
  const name = step.replace(/^\+ /, '');
  const unlabelled = unlabelledCount(record);
  return figure === 'selfTrain' && unlabelled > 0
    ? `${name} on ${formatCount(unlabelled)} unlabelled images`
    : // A subject that holds a comma is closed with one.
      name.includes(',')
      ? `${name},`
      : name;
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

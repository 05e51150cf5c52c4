import { greatestScale, minSteps } from '../recipes/plan/budget.js';
import { formatBudget } from '../recipes/plan/budget-time.js';
import { activityOf, stageNamed } from '../recipes/stages/registry.js';
import { descriptionText } from '../report/description-text.js';
import { byCount, countOf, formatCount, formatDuration } from '../report/format.js';
import { invarianceText } from '../report/invariance-text.js';
import type { RunEvent } from '../store/run-event.js';

/** Sentences that tell a person about an event; none for events that are shown in another way. */
export function sentencesOf(event: RunEvent): readonly string[] {
  switch (event.type) {
    case 'run-start':
      return [`Run   ${event.run}`];
    case 'already-finished':
      return [`${event.run} is complete: nothing to train.`];
    case 'measuring':
      return ['Measuring this machine …'];
    case 'labels-located':
      return locatedSentences(event);
    case 'forecast':
      return [`It will take about ${roundDuration(event.remainingMs)} on this machine.`];
    case 'budget-fitted':
      return budgetSentences(event);
    case 'invariance-judged':
      // That digits are not mirrored is what anybody expects; the report says it.
      return event.labels ? [invarianceText(event)] : [];
    case 'description-chosen':
      return [descriptionText(event)];
    case 'teacher-chosen':
      return [teacherSentence(event)];
    case 'stopped-early':
      return [
        `Self-training stopped because classes were merging: the rarest class got only ${(100 * event.smallestClass).toFixed(1)} % of the pile.`,
      ];
    case 'stage-failed':
      return [`${event.reason} The run goes on without it.`];
    case 'stage-outdated':
      return [
        `${stageNamed(event.stage).title}: the earlier training no longer matches these settings or data and is repeated.`,
      ];
    default:
      return [];
  }
}

function locatedSentences({
  data,
  total,
  moved,
  missing,
}: Extract<RunEvent, { type: 'labels-located' }>): string[] {
  const lines: string[] = [];
  if (missing > 0)
    lines.push(
      `${formatCount(missing)} of ${countOf(total, 'labelled image')} ${byCount(missing, 'is not in', 'are not in')} ${data} and ${byCount(missing, 'is', 'are')} left out.`,
    );
  if (moved > 0) {
    lines.push(
      `${formatCount(moved)} of ${countOf(total, 'labelled image')} ${byCount(moved, 'has moved in the data and was', 'have moved in the data and were')} found again.`,
    );
  }
  return lines;
}

function teacherSentence({ found, of, rival }: Extract<RunEvent, { type: 'teacher-chosen' }>): string {
  return rival
    ? `Neighbours recover only ${formatCount(found)} of ${countOf(of, 'held-back label')}, and a network trained on the other labels recovers ${formatCount(rival.found)}. Self-training therefore uses views.`
    : `Neighbours recover ${formatCount(found)} of ${countOf(of, 'held-back label')}, so self-training takes the pile's classes from them.`;
}

/** A time of which only the first digits are known: `50 seconds`, `4 minutes`, `1 hour 20 minutes`. */
function roundDuration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 90_000) return `${10 * Math.max(1, Math.round(ms / 10_000))} seconds`;
  if (minutes < 90) return `${minutes} minutes`;
  const tens = Math.round(minutes / 10);
  const [hours, rest] = [Math.floor(tens / 6), 10 * (tens % 6)];
  return `${hours} hour${hours === 1 ? '' : 's'}${rest === 0 ? '' : ` ${rest} minutes`}`;
}

/** Sentences about the steps that fit into a budget. */
function budgetSentences({
  preset,
  budgetMs,
  scale,
  predictedMs,
  steps,
  shortened,
  atLeast,
  atMost,
}: Extract<RunEvent, { type: 'budget-fitted' }>): string[] {
  const listed = (some: typeof steps) =>
    some.map(({ stage, steps }) => `${activityOf(stage)} ${formatCount(steps)}`).join(', ');
  const lines = [
    `Budget ${formatBudget(budgetMs)}: ${scale < 0.005 ? 'the fewest steps' : `${scale.toFixed(2)} times the recipe's steps`} (${listed(steps)}), about ${formatDuration(predictedMs)}`,
  ];
  if (atLeast.length > 0) {
    lines.push(
      `Budget is tight: ${atLeast.map((stage) => activityOf(stage)).join(', ')} would have too few steps to learn, and ${atLeast.length === 1 ? 'has' : 'have'} about ${minSteps} instead.`,
    );
  }
  if (shortened.length > 0) {
    lines.push(
      `What is tried with labels held back is shorter, too (steps: ${listed(shortened)}), so that its estimate may be low.`,
    );
  }
  if (predictedMs > budgetMs) {
    lines.push(
      `Other programs keep this machine busy: at its present speed the run takes about ${formatDuration(predictedMs)}; on an idle one its few steps would fit.`,
    );
  }
  if (atMost) {
    const other = preset === 'quick' ? '; --preset best has a larger network to train' : '';
    lines.push(
      `Budget is more than is used, it will end after about ${formatDuration(predictedMs)}: ${greatestScale} times the recipe's steps is the most, since what more would bring was never measured${other}.`,
    );
  }
  return lines;
}

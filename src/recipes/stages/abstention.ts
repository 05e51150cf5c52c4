import { type Abstention, fitAbstention } from '../../model/abstention.js';
import { probabilitiesAt } from '../../model/temperature.js';
import { type FoldAnswers, pooledAnswers } from '../../store/fold-answers.js';

/**
 * The probability below which a classifier is unsure, from how the networks that learned without a fold classified the labels held
 * back: see `fitAbstention`.
 *
 * @param temperature that the classifier's logits are divided by
 * @returns undefined if no network answered
 */
export function abstentionFrom(answers: readonly FoldAnswers[], temperature: number): Abstention | undefined {
  const { logits, targets } = pooledAnswers(answers);
  const classCount = logits.length / targets.length;
  const probabilities = probabilitiesAt(logits, classCount, temperature);
  return fitAbstention(
    targets.map((_, i) =>
      probabilities.subarray(i * classCount, (i + 1) * classCount).reduce((a, b) => Math.max(a, b), 0),
    ),
  );
}

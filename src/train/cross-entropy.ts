/** Cross-entropy of one item, `ln Σ exp(logit) − logit of the target`, in nats, without overflow. */
export function crossEntropy(logits: ArrayLike<number>, target: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < logits.length; k++) most = Math.max(most, logits[k]!);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += Math.exp(logits[k]! - most);
  return most + Math.log(sum) - logits[target]!;
}

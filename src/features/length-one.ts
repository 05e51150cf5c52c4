/** Scales a row to length 1, in place; one of zeros stays as it is. */
export function scaleToLengthOne(row: Float32Array): void {
  const length = euclideanLength(row);
  if (length > 0) for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? 0) / length;
}

/**
 * √( Σ x² ) to the bit as `Math.hypot(...row)` has it in Node, which is ten times slower for as many numbers: the numbers are
 * divided by the largest, and what rounding takes from a sum goes to the next one (Kahan).
 */
function euclideanLength(row: Float32Array): number {
  let largest = 0;
  for (const value of row) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  let sum = 0;
  let lost = 0;
  for (const value of row) {
    const relative = Math.abs(value) / largest;
    const term = relative * relative - lost;
    const next = sum + term;
    lost = next - sum - term;
    sum = next;
  }
  return Math.sqrt(sum) * largest;
}

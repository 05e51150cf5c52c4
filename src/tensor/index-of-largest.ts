/** The first of the largest numbers of a row; NaN is none. 0 where there is no number. */
export function indexOfLargest(row: ArrayLike<number>): number {
  let [best, largest] = [0, Number.NaN];
  for (let i = 0; i < row.length; i++) {
    const value = row[i] ?? Number.NaN;
    if (value > largest || (Number.isNaN(largest) && !Number.isNaN(value))) [best, largest] = [i, value];
  }
  return best;
}

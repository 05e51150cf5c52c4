/**
 * The name that takes the fewest edits to reach; case, blanks around and full-width letters make no difference.
 * @param most edits beyond which no name is near
 */
export function nearestName(
  name: string,
  names: readonly string[],
  most = Number.POSITIVE_INFINITY,
): string | undefined {
  const distances = names.map((other) => editDistance(folded(name), folded(other)));
  const least = Math.min(...distances);
  return least <= most ? names[distances.indexOf(least)] : undefined;
}

function folded(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase();
}

/** Characters to insert, delete or replace to make one text into another (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (char === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

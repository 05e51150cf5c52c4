/**
 * The results of an asynchronous function for each item, in the order of the items, begun for a bounded number of items
 * ahead of the one that is asked for. The first failure ends it, when its turn comes.
 */
export async function* mapAhead<T, R>(
  items: readonly T[],
  ahead: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const begun: Promise<R>[] = [];
  for (const item of items) {
    const result = map(item);
    // Whoever waits for it hears of its failure; until then it is nobody's.
    result.catch(() => {});
    begun.push(result);
    if (begun.length >= ahead) yield begun.shift()!;
  }
  for (const result of begun) yield result;
}

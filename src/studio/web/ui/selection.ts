/** From one place up to, and without, another. */
export type Range = readonly [from: number, to: number];

/**
 * Places that are chosen in a list of any length, kept as ranges: those that were never shown cost nothing.
 *
 * @example
 * Selection.none.with([10, 510]).toggled(12).count; // 499
 */
export class Selection {
  static readonly none = new Selection([]);
  /** Ascending, apart from each other. */
  readonly ranges: readonly Range[];

  private constructor(ranges: readonly Range[]) {
    this.ranges = ranges;
  }

  get count(): number {
    return this.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  has(place: number): boolean {
    return this.ranges.some(([from, to]) => from <= place && place < to);
  }

  with([from, to]: Range): Selection {
    if (from >= to) return this;
    const apart = this.ranges.filter(([a, b]) => b < from || a > to);
    const touching = this.ranges.filter(([a, b]) => b >= from && a <= to);
    const all: Range = [
      Math.min(from, ...touching.map(([a]) => a)),
      Math.max(to, ...touching.map(([, b]) => b)),
    ];
    return new Selection([...apart, all].sort(([a], [b]) => a - b));
  }

  without([from, to]: Range): Selection {
    return new Selection(
      this.ranges.flatMap(([a, b]): Range[] => {
        const parts: Range[] = [
          [a, Math.min(b, from)],
          [Math.max(a, to), b],
        ];
        return from < to ? parts.filter(([start, end]) => start < end) : [[a, b]];
      }),
    );
  }

  toggled(place: number): Selection {
    const range: Range = [place, place + 1];
    return this.has(place) ? this.without(range) : this.with(range);
  }
}

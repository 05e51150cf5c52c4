/** Where a picture stands: which of the inputs it comes from, and which of that input's pictures it is, both from 0. */
export interface PicturePlace {
  readonly input: number;
  readonly item: number;
}

/** What a classifier says of one picture, as it stands in a table. */
export interface PredictionRow {
  readonly file: string;
  /** Position in the file, from 0; absent where the file holds one picture. */
  readonly index?: number;
  /** The likeliest class. */
  readonly label: string;
  readonly probability: number;
  /** float32 [K], in the order of the classes; absent where nobody asked for all of them. */
  readonly probabilities?: Float32Array;
}

/** What a table shows. */
export interface PredictionColumns {
  readonly classNames: readonly string[];
  /** Whether it has the probabilities of all classes. */
  readonly probabilities: boolean;
  /** Rows whose probability is below it are marked; undefined: there is no such column. */
  readonly unsure?: number | undefined;
}

/** The text of a table as its rows come, some at a time. */
export interface PredictionFormat {
  begin(): string;
  rows(rows: readonly PredictionRow[]): string;
  end(): string;
}

/** A float32 in the fewest digits that tell it from all others, not in the seventeen of a float64. */
export function floatDigits(value: number): number {
  const single = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}

/** Names of the columns of all probabilities: `p_cat`, so that no class is taken for a column such as `file`. */
export function probabilityColumns(classNames: readonly string[]): string[] {
  return classNames.map((name) => `p_${name}`);
}

/** Whether a row is to be looked at by a person; undefined where nobody asked. */
export function isUnsure({ probability }: PredictionRow, { unsure }: PredictionColumns): boolean | undefined {
  return unsure === undefined ? undefined : probability < unsure;
}

/** The probability of each class by its name. */
export function probabilitiesByName(
  { probabilities = new Float32Array() }: PredictionRow,
  { classNames }: PredictionColumns,
  digitsOf: (value: number) => number = floatDigits,
): Record<string, number> {
  return Object.fromEntries(classNames.map((name, k) => [name, digitsOf(probabilities[k] ?? Number.NaN)]));
}

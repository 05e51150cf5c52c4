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
  /** Whether the picture is unlike all that had a label (`looksUnlike`); absent where it is not, or the model does not say. */
  readonly unlike?: true;
  /** float32 [K], in the order of the classes; absent where nobody asked for all of them. */
  readonly probabilities?: Float32Array;
}

/** What a table shows. */
export interface PredictionColumns {
  readonly classNames: readonly string[];
  /** Whether it has the probabilities of all classes. */
  readonly probabilities: boolean;
  /**
   * Rows whose probability is below it are unsure, and marked, and so are those that are unlike; undefined: there is no such
   * column.
   */
  readonly unsure?: number | undefined;
  /** Whether unsure rows have no label; default: they have that of the likeliest class. */
  readonly abstain?: boolean | undefined;
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

/** When a classifier is unsure of a row. */
export type Unsureness = Pick<PredictionColumns, 'unsure' | 'abstain'>;

/**
 * Whether what a classifier says is to be looked at by a person, since the image may be of none of its classes: the probability of the
 * likeliest class, 0–1, is below `unsure`, or the image is unlike all that had a label.
 * @param options.unsure default: it is never unsure
 * @example
 * isUnsure({ probability: 0.4 }, { unsure: classifier.abstention?.threshold });
 */
export function isUnsure(
  { probability, unlike }: Pick<PredictionRow, 'probability' | 'unlike'>,
  { unsure }: { readonly unsure?: number | undefined },
): boolean {
  return unsure !== undefined && (unlike === true || probability < unsure);
}

/** The label that a table shows; undefined where the classifier abstains. */
export function labelIn(row: PredictionRow, columns: Unsureness): string | undefined {
  return columns.abstain && isUnsure(row, columns) ? undefined : row.label;
}

/** What rows come to. */
export interface RowCounts {
  /** Rows by the label that they have; those without one are in none. */
  readonly classCounts: ReadonlyMap<string, number>;
  /** Unsure rows, and those of them that are unlike. */
  readonly unsure: number;
  readonly unlike: number;
}

/** Counts rows as they go by. */
export class RowTally implements RowCounts {
  readonly classCounts = new Map<string, number>();
  readonly #columns: Unsureness;
  #unsure = 0;
  #unlike = 0;

  constructor(columns: Unsureness) {
    this.#columns = columns;
  }

  get unsure(): number {
    return this.#unsure;
  }

  get unlike(): number {
    return this.#unlike;
  }

  add(row: PredictionRow): void {
    if (isUnsure(row, this.#columns)) {
      this.#unsure++;
      if (row.unlike) this.#unlike++;
    }
    const label = labelIn(row, this.#columns);
    if (label !== undefined) this.classCounts.set(label, (this.classCounts.get(label) ?? 0) + 1);
  }
}

/** A field of a row in a file, of whatever kind: what it is called, what it holds, and what it is for a row. */
export interface PredictionField {
  readonly name: string;
  readonly type: 'text' | 'label' | 'index' | 'flag' | 'probability';
  /** Of the probability of a class: the class. JSON has these in an object of their own, in which they go by it. */
  readonly className?: string;
  /** Null where a row has none; probabilities are float32. */
  valueIn(row: PredictionRow): string | number | boolean | null;
}

/**
 * The fields of a row, in their order: `file`, `index` (none where a file holds one picture), `label`, `probability`, then
 * `unsure` and `p_<class>` of every class, where there are such. `p_`, so that no class is taken for a field such as `file`.
 */
export function predictionFields(columns: PredictionColumns): readonly PredictionField[] {
  const { classNames, probabilities, unsure } = columns;
  const unsureIn = (row: PredictionRow): boolean => isUnsure(row, columns);
  return [
    { name: 'file', type: 'text', valueIn: ({ file }) => file },
    { name: 'index', type: 'index', valueIn: ({ index = null }) => index },
    { name: 'label', type: 'label', valueIn: (row) => labelIn(row, columns) ?? null },
    { name: 'probability', type: 'probability', valueIn: ({ probability }) => probability },
    ...(unsure === undefined ? [] : [{ name: 'unsure', type: 'flag', valueIn: unsureIn } as const]),
    ...(probabilities ? classNames.map(probabilityField) : []),
  ];
}

function probabilityField(className: string, k: number): PredictionField {
  const valueIn = ({ probabilities }: PredictionRow): number => probabilities?.[k] ?? Number.NaN;
  return { name: `p_${className}`, type: 'probability', className, valueIn };
}

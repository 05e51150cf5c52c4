import { countOf } from '../../counts.js';
import { QuarterturnError } from '../../errors.js';
import { elementsOf } from './npy-header.js';
import type { NpyArray } from './npy-images.js';
import { numbersOf, textsOf } from './npy-values.js';

/** Labels of an array as texts; undefined if an image has none. */
export interface ArrayLabels {
  readonly labels: readonly (string | undefined)[];
  /** For people, one sentence each. */
  readonly notes: readonly string[];
}

/** More labels than any machine trains on, and room for long texts: what is larger holds something else. */
const maxBytes = 2 ** 28;

/**
 * Labels of an array [N] or [N, 1]: whole numbers, booleans or texts, verbatim in Unicode's normal form C. −1 and an empty
 * text are no label. Rows [N, K] with a single 1 are the classes 0 … K − 1.
 *
 * @param count labels that are expected
 * @param names of the classes that numbers stand for, where the file has them
 * @throws QuarterturnError `data` for another count, for several labels of one image, and for numbers that are no classes
 */
export async function npyLabels(
  { key, header, source }: NpyArray,
  count: number,
  names?: readonly string[],
): Promise<ArrayLabels> {
  const { shape, kind } = header;
  const [length = 0, width = 1] = shape;
  if (shape.length === 0 || shape.length > 2 || width === 0) {
    throw wrong(source.name, 'expected labels, [N] or [N, 1]', `[${shape.slice(0, 8).join(', ')}]`);
  }
  if (length !== count) {
    throw wrong(
      source.name,
      `expected one label for each of the ${countOf(count, 'image')}`,
      String(length),
      'Do both arrays belong together?',
    );
  }
  if (source.sizeBytes > maxBytes) {
    throw wrong(source.name, `expected labels of at most ${maxBytes} bytes`, String(source.sizeBytes));
  }
  const bytes = await source.read(header.dataStart, source.sizeBytes);
  if (kind === 'unicode' || kind === 'bytes') {
    if (width > 1) throw severalLabels(source.name, shape);
    const texts = textsOf(header, bytes, elementsOf(shape));
    return { labels: texts.map((text) => (text === '' ? undefined : text.normalize('NFC'))), notes: [] };
  }
  const values = numbersOf(header, bytes);
  const classes = width > 1 ? classesOfRows(source.name, shape, values, header.fortranOrder) : values;
  const labels = Array.from(classes, (value, i) => labelOf(source.name, value, i, names));
  const notes =
    width > 1
      ? [`${key} has a row with a single 1 for each image: classes are its places, 0 to ${width - 1}.`]
      : [];
  return { labels, notes };
}

function labelOf(
  name: string,
  value: number,
  index: number,
  names: readonly string[] | undefined,
): string | undefined {
  if (value === -1) return undefined;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw wrong(name, 'expected whole numbers from 0 on, or -1 for no label', `${value} at index ${index}`);
  }
  if (names === undefined) return String(value);
  const label = names[value];
  if (label !== undefined) return label;
  throw wrong(
    name,
    `expected classes from 0 to ${names.length - 1}, which have names`,
    `${value} at index ${index}`,
  );
}

/** The place of the only 1 in each row of N. */
function classesOfRows(
  name: string,
  shape: readonly number[],
  values: ArrayLike<number>,
  fortranOrder: boolean,
): number[] {
  const [count = 0, width = 0] = shape;
  return Array.from({ length: count }, (_, i) => {
    let [found, ones] = [0, 0];
    for (let k = 0; k < width; k++) {
      const value = values[fortranOrder ? k * count + i : i * width + k];
      if (value === 1) [found, ones] = [k, ones + 1];
      else if (value !== 0) ones = 2;
    }
    if (ones !== 1) throw severalLabels(name, shape);
    return found;
  });
}

function severalLabels(name: string, shape: readonly number[]): QuarterturnError {
  return wrong(
    name,
    'expected one label for each image',
    `several, or none, in [${shape.join(', ')}] (multi-label)`,
    'Multi-label data cannot be learned: choose one label for each image.',
  );
}

function wrong(name: string, expected: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError('data', `${name}: ${expected}. Received: ${received}.`, { hint });
}

import type { Split } from './found-images.js';

/** What an array of a file holds, by its name. */
export interface ArrayRole {
  /** Absent if the name says none. */
  readonly split?: Split;
  readonly what: 'images' | 'labels' | 'classNames';
}

const splits: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  dev: 'val',
  test: 'test',
  testing: 'test',
  t10k: 'test',
};

const imageWords = ['images', 'image', 'imgs', 'img', 'x', 'data', 'pictures', 'pixels'];
const labelWords = ['labels', 'label', 'y', 'targets', 'target', 'classes', 'class'];

/** Split by a word of a path or name: `train-00000-of-00002`, `data/validation`, `x_test`. */
export function splitNamed(name: string): Split | undefined {
  for (const word of wordsOf(name)) {
    const split = Object.hasOwn(splits, word) ? splits[word] : undefined;
    if (split !== undefined) return split;
  }
  return undefined;
}

/**
 * What an array is for: `train_images`, `x_train`, `Xtrain`, `kmnist-train-imgs`, `images`, `y`, `class_names`.
 * @returns undefined if no word of the name is known
 */
export function roleOf(key: string): ArrayRole | undefined {
  const words = wordsOf(key);
  const split = splitNamed(key);
  const what = words.includes('names')
    ? 'classNames'
    : words.some((word) => labelWords.includes(word))
      ? 'labels'
      : words.some((word) => imageWords.includes(word))
        ? 'images'
        : undefined;
  return what && { what, ...(split !== undefined && { split }) };
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/(^|[^a-zA-Z])([xXyY])(?=(train|val|valid|validation|test)(?![a-z]))/g, '$1$2 ')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

import type { Split } from './found-images.js';

/** What people call the parts of their data. */
const splitWords: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training', 'trn'],
  val: ['val', 'valid', 'validation', 'validate', 'dev', 'development', 'eval', 'evaluation'],
  test: ['test', 'testing', 'tests', 'tst', 'holdout'],
};

const splitOfWord = new Map(
  Object.entries(splitWords).flatMap(([split, words]) =>
    words.map((word) => [word, split as Split] as const),
  ),
);

const pileWords = new Set(['unlabelled', 'unlabeled', 'unlabel', 'nolabel', 'unannotated']);

/** What stands beside such a word, or alone, and says no more than that pictures lie there: `train_images`, `seg_train`. */
const emptyWords = new Set(
  'data dataset set images image imgs img pictures picture photos photo pics split folder seg files samples'.split(
    ' ',
  ),
);

const maxWords = 4;

/**
 * Words of a folder's name in lower case, what {@link emptyWords} are left out: `Train_Set`, `train-set` and `trainset`
 * all have the one word `train`.
 */
function tellingWords(name: string): string[] {
  const words = name
    .normalize('NFKC')
    .toLowerCase()
    .split(/[\s._-]+/)
    .filter((word) => word !== '');
  if (words.length > maxWords) return words;
  return words.filter((word) => !emptyWords.has(word)).map(withoutEmptyEnd);
}

/** `testset` is `test`, where that is a word for a part; other words stay. */
function withoutEmptyEnd(word: string): string {
  for (const empty of emptyWords) {
    const rest = word.slice(0, -empty.length);
    if (word.endsWith(empty) && (splitOfWord.has(rest) || pileWords.has(rest))) return rest;
  }
  return word;
}

/** The part that a folder's name means, in any usual spelling: train, Training, valid, dev, test_images, seg_train. */
export function splitOfName(name: string): Split | undefined {
  const [word, another] = tellingWords(name);
  return another === undefined && word !== undefined ? splitOfWord.get(word) : undefined;
}

/** Words for parts that mean other things as well: a train, and what is valid beside what is not. */
const ambiguousWords = new Set(['train', 'valid']);

/** Whether a folder's name is a part's and just as well a class's. */
export function isAmbiguousName(name: string): boolean {
  return ambiguousWords.has(name.toLowerCase());
}

/** Whether a folder's name says that its images have no label. */
export function isPileName(name: string): boolean {
  const [word, another] = tellingWords(name);
  return another === undefined && word !== undefined && pileWords.has(word);
}

/** Whether a folder's name says nothing of what its images show: `images`, `photos`. */
export function isEmptyName(name: string): boolean {
  return tellingWords(name).length === 0;
}

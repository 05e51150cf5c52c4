import { describe, expect, test } from 'vitest';
import type { FileTree } from './file-tree.js';
import type { FoundImages } from './found-images.js';
import { type ImageTreeOptions, readImageTree } from './image-tree.js';
import { TreeListing } from './tree-listing.js';

/** A tree of files with one byte each; a path that ends in `/` is an empty folder, one that ends in `!` an empty file. */
function treeOf(paths: readonly string[]): FileTree {
  const listing = new TreeListing<string>('pictures');
  for (const path of paths) {
    if (path.endsWith('/')) listing.add({ kind: 'folder', name: path, modifiedMs: 0 });
    else {
      const name = path.replace('!', '');
      listing.add({ kind: 'file', name, sizeBytes: path.endsWith('!') ? 0 : 1, modifiedMs: 5, place: name });
    }
  }
  const { entries, skipped } = listing.finish();
  return {
    container: 'folder',
    origin: 'pictures',
    entries,
    skipped,
    notes: [],
    read: async (path) => new TextEncoder().encode(path),
    open: () => Promise.reject(new Error('not opened')),
    close: async () => {},
  };
}

const find = (paths: readonly string[], options?: ImageTreeOptions) => readImageTree(treeOf(paths), options);

/** `name: label (split)` of every image. */
const described = ({ images }: FoundImages) =>
  images.map(
    ({ name, label = '-', split }) => `${name}: ${label}${split === undefined ? '' : ` (${split})`}`,
  );

test('a folder is a class; what lies flat or in `unlabelled` is pile', async () => {
  const found = find([
    'cat/1.png',
    'cat/2.png',
    'dog/1.png',
    'dog/2.png',
    'unlabelled/a/3.png',
    'Unlabeled/4.png',
    '5.png',
  ]);
  expect(described(found)).toEqual([
    '5.png: -',
    'Unlabeled/4.png: -',
    'cat/1.png: cat',
    'cat/2.png: cat',
    'dog/1.png: dog',
    'dog/2.png: dog',
    'unlabelled/a/3.png: -',
  ]);
  expect(found.classNames).toEqual(['cat', 'dog']);
  expect(found.notes).toEqual(['Taken for folders of images: 2 classes, and images without a label.']);
  const [, , cat] = found.images;
  expect(cat?.stamp).toEqual({ sizeBytes: 1, modifiedMs: 5 });
  expect(await cat?.read()).toEqual({ kind: 'file', bytes: new TextEncoder().encode('cat/1.png') });
});

test('hidden and foreign files and folders are no classes and no images', () => {
  const junk = [
    '.DS_Store',
    '.git/HEAD',
    '.ipynb_checkpoints/1-checkpoint.png',
    '@eaDir/cat/SYNO.jpg',
    'README.md',
  ];
  const more = ['__MACOSX/cat/._1.png', 'cat/.DS_Store', 'cat/._1.png', 'cat/.ipynb_checkpoints/1.png'];
  const most = ['cat/1.png.part', 'cat/notes.txt', 'dog/Thumbs.db', 'dog/desktop.ini', 'dog/~$1.png'];
  const found = find([...junk, ...more, ...most, 'cat/1.png', 'cat/2.png', 'dog/1.png', 'dog/2.png']);
  expect(described(found)).toEqual(['cat/1.png: cat', 'cat/2.png: cat', 'dog/1.png: dog', 'dog/2.png: dog']);
  expect(found.classNames).toEqual(['cat', 'dog']);
  expect(found.skipped.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
    '.DS_Store: hidden or system file',
    '.git: hidden or system folder',
    '.ipynb_checkpoints: hidden or system folder',
    '@eaDir: hidden or system folder',
    'README.md: text or document',
    '__MACOSX: hidden or system folder',
    'cat/.DS_Store: hidden or system file',
    'cat/._1.png: hidden or system file',
    'cat/.ipynb_checkpoints: hidden or system folder',
    'cat/1.png.part: unfinished download',
    'cat/notes.txt: text or document',
    'dog/Thumbs.db: hidden or system file',
    'dog/desktop.ini: hidden or system file',
    'dog/~$1.png: hidden or system file',
  ]);
});

test('what may be a picture is decided when it is read: any ending, or none', () => {
  const names = ['IMG_1', 'a.download', 'a.gz', 'b.JPeG', 'b.heic', 'c.1', 'photo.png[page=1]'];
  expect(find(names).images.map(({ name }) => name)).toEqual(names);
  const others = ['all.tar.gz', 'film.mp4', 'model.onnx', 'x.npz', 'Table.CSV', 'empty.png!'];
  expect(find(['1.png', ...others]).skipped).toHaveLength(others.length);
});

describe('small classes', () => {
  const many = Array.from({ length: 8 }, (_, i) => `many/${i}.png`);
  const found = find([
    ...[
      'empty/',
      'one/1.png',
      'two/1.png',
      'two/2.png',
      ...many,
      'nested/deeper/1.png',
      'nested/deeper/2.png',
    ],
    ...['only-text/readme.txt', 'only-broken/1.png!'],
  ]);

  test('classes without images and with one are classes', () => {
    expect(found.classNames).toEqual(['empty', 'many', 'nested', 'one', 'only-broken', 'only-text', 'two']);
    expect(found.classNotes).toEqual(['Folders within a class folder belong to its class: nested.']);
  });

  test('folders within a class belong to it', () => {
    expect(described(found)).toContain('nested/deeper/1.png: nested');
  });

  test('a single class is one class; images that lie flat are none', () => {
    expect(find(['only/1.png', 'only/2.png']).classNames).toEqual(['only']);
    expect(described(find(['1.png', '2.png']))).toEqual(['1.png: -', '2.png: -']);
    expect(described(find(['images/1.png', 'images/2.png', 'docs/a.txt']))).toEqual([
      'images/1.png: -',
      'images/2.png: -',
    ]);
  });

  test('a thousand classes', () => {
    const paths = Array.from({ length: 1000 }, (_, i) => [`${i}/a.png`, `${i}/b.png`]).flat();
    const { classNames, notes } = find(paths);
    expect(classNames).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}`));
    expect(notes).toEqual(['Taken for folders of images: 1,000 classes.']);
  });
});

describe('class names', () => {
  test('are verbatim, and in natural order', () => {
    const names = ['007', '7', '10', '2', 'img10', 'img2', 'Zebra', 'apple', ' lead', '1e3', 'null', '日本'];
    const found = find(names.flatMap((name) => [`${name}/1.png`, `${name}/2.png`]));
    expect(found.classNames).toEqual([
      ' lead',
      '1e3',
      '2',
      '007',
      '7',
      '10',
      'apple',
      'img2',
      'img10',
      'null',
      'Zebra',
      '日本',
    ]);
    expect(new Set(found.images.map(({ label }) => label)).size).toBe(names.length);
  });

  test('fall together where Unicode says that they are the same, and that is said', () => {
    const found = find(['caf\u00e9/1.png', 'cafe\u0301/2.png', 'cafe/3.png', 'cafe/4.png']);
    expect(found.classNames).toEqual(['cafe', 'caf\u00e9']);
    expect(found.images.map(({ name }) => name)).toContain('cafe\u0301/2.png');
    expect(found.classNotes?.[0]).toBe(
      "Folders whose names are the same in Unicode's normal form are one class: caf\u00e9.",
    );
  });

  test('that differ in capitals alone are kept apart, and that is said', () => {
    const found = find(['train/Cat/1.png', 'train/Cat/2.png', 'test/cat/1.png', 'test/cat/2.png']);
    expect(found.classNames).toEqual(['cat', 'Cat']);
    expect(found.classNotes).toContain(
      'Classes whose names differ in capitals alone are kept apart: cat, Cat.',
    );
  });
});

describe('parts', () => {
  test('folders called train, val and test, in any usual spelling, hold the classes', () => {
    const found = find([
      'Train/a/1.png',
      'Train/b/1.png',
      'validation/a/1.png',
      'testing/b/1.png',
      'testing/x.png',
    ]);
    expect(described(found)).toEqual([
      'Train/a/1.png: a (train)',
      'Train/b/1.png: b (train)',
      'testing/b/1.png: b (test)',
      'testing/x.png: - (test)',
      'validation/a/1.png: a (val)',
    ]);
    expect(found.classNames).toEqual(['a', 'b']);
    expect(found.notes[0]).toBe(
      'Taken for folders of images: 2 classes, and images without a label, divided by folders: Train (train), testing (test), validation (val).',
    );
  });

  test('unlabelled images may lie beside them and in them', () => {
    const found = find(['train/a/1.png', 'train/unlabeled/2.png', 'unlabelled/3.png', 'test/a/4.png']);
    expect(described(found)).toEqual([
      'test/a/4.png: a (test)',
      'train/a/1.png: a (train)',
      'train/unlabeled/2.png: - (train)',
      'unlabelled/3.png: -',
    ]);
    expect(found.classNames).toEqual(['a']);
  });

  test('a class that is really called train', () => {
    const found = find(['bus/1.png', 'bus/test.png', 'train/1.png', 'train/2.png']);
    expect(found.classNames).toEqual(['bus', 'train']);
    expect(described(found)).toEqual([
      'bus/1.png: bus',
      'bus/test.png: bus',
      'train/1.png: train',
      'train/2.png: train',
    ]);
    expect(found.notes[1]).toContain('train is taken for a class');
    const inner = find(['train/bus/1.png', 'train/train/2.png', 'test/bus/3.png', 'test/train/4.png']);
    expect(described(inner)).toContain('train/train/2.png: train (train)');
    expect(inner.classNames).toEqual(['bus', 'train']);
  });

  test('more class folders than a function takes arguments', () => {
    const found = find(['train/0/1.png', ...Array.from({ length: 200_000 }, (_, i) => `train/${i}/`)]);
    expect(found.classNames).toHaveLength(200_000);
  });

  test('a class that is really called valid', () => {
    expect(find(['invalid/1.png', 'invalid/2.png', 'valid/1.png', 'valid/2.png']).classNames).toEqual([
      'invalid',
      'valid',
    ]);
    expect(find(['train/a/1.png', 'train/b/1.png', 'valid/1.png']).classNames).toEqual(['a', 'b']);
  });

  test('files are never parts', () => {
    expect(described(find(['train.png', 'a test of time.png', 'pika.png']))).toEqual([
      'a test of time.png: -',
      'pika.png: -',
      'train.png: -',
    ]);
  });

  test('a test folder beside classes is the test part: never a class', () => {
    const lone = find(['a/1.png', 'a/2.png', 'b/1.png', 'b/2.png', 'test/1.png']);
    expect(lone.classNames).toEqual(['a', 'b']);
    expect(described(lone)).toContain('test/1.png: - (test)');
    expect(lone.notes[1]).toBe(
      'test is taken for the test part, without labels: no class folders lie in it.',
    );
    expect(described(find(['a/1.png', 'b/1.png', 'test/a/2.png']))).toEqual([
      'a/1.png: a',
      'b/1.png: b',
      'test/a/2.png: a (test)',
    ]);
  });

  test('parts without class folders have no labels', () => {
    const found = find(['train/cat.1.png', 'train/dog.1.png', 'test/1.png']);
    expect(described(found)).toEqual([
      'test/1.png: - (test)',
      'train/cat.1.png: - (train)',
      'train/dog.1.png: - (train)',
    ]);
    expect(found.classNames).toEqual([]);
  });

  test('beside a training folder with classes nothing else is a class', () => {
    const found = find(['train/a/1.png', 'train/b/1.png', 'extra/1.png', 'docs/a.txt']);
    expect(found.classNames).toEqual(['a', 'b']);
    expect(described(found)).toContain('extra/1.png: -');
    expect(found.notes).toContain(
      'extra lies beside the training folder and is no class: its images are taken without labels.',
    );
  });

  test('what names say can be overruled', () => {
    const paths = ['test/1.png', 'train/1.png', 'control/1.png'];
    expect(find(paths, { layout: 'classes' }).classNames).toEqual(['control', 'test', 'train']);
    expect(find(paths).classNames).toEqual(['control', 'train']);
    expect(find(paths, { layout: 'splits' }).classNames).toEqual(['control']);
  });
});

describe('folders around everything', () => {
  test('are looked through', () => {
    const pets = find(['pets/cat/1.png', 'pets/dog/1.png', 'pets/README.md']);
    expect(described(pets)).toEqual(['pets/cat/1.png: cat', 'pets/dog/1.png: dog']);
    expect(pets.notes[1]).toBe('The images lie in pets.');
    const deep = find([
      'ILSVRC/Data/CLS/train/n01/1.jpg',
      'ILSVRC/Data/CLS/val/n01/2.jpg',
      'ILSVRC/Annotations/x.xml',
    ]);
    expect(described(deep)).toEqual([
      'ILSVRC/Data/CLS/train/n01/1.jpg: n01 (train)',
      'ILSVRC/Data/CLS/val/n01/2.jpg: n01 (val)',
    ]);
  });

  test('also of each part, as some archives have them', () => {
    const found = find([
      'seg_train/seg_train/sea/1.jpg',
      'seg_train/seg_train/ice/1.jpg',
      'seg_test/seg_test/sea/2.jpg',
    ]);
    expect(described(found)).toEqual([
      'seg_test/seg_test/sea/2.jpg: sea (test)',
      'seg_train/seg_train/ice/1.jpg: ice (train)',
      'seg_train/seg_train/sea/1.jpg: sea (train)',
    ]);
  });

  test('a lone test folder is such a one: nothing would be left to learn from', () => {
    expect(described(find(['test/cat/1.png', 'test/dog/1.png']))).toEqual([
      'test/cat/1.png: cat',
      'test/dog/1.png: dog',
    ]);
  });
});

test('nothing that may be a picture', () => {
  expect(() => find([])).toThrow('pictures: expected images. Received: nothing.');
  expect(() => find(['a/x.txt', 'b/y.txt', '.z', 'c.png!'])).toThrow(
    'Received: no file that may be one (hidden or system file: 1; text or document: 2; empty file: 1).',
  );
});

test('every file is found once, however deep', () => {
  const deep = `${'a/'.repeat(60)}1.png`;
  const found = find([deep, 'train/x/1.png', 'train/images/2.png', 'val/3.png', 'b/unlabelled/4.png']);
  expect(found.images).toHaveLength(5);
  expect(new Set(found.images.map(({ name }) => name)).size).toBe(5);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { npy, npz } from '../../../test/support/npz.js';
import { parquet } from '../../../test/support/parquet.js';
import { pythonWith, runPython } from '../../../test/support/python.js';
import { idx } from '../../../test/support/tiny-data.js';
import { Random } from '../../random/random.js';
import { type ByteSource, bytesInMemory } from './byte-source.js';
import type { FoundImages } from './found-images.js';
import { readIdxImages } from './idx-images.node.js';
import { readNumpyImages } from './numpy-images.node.js';
import { openParquetImages, readParquetImages } from './parquet-images.node.js';

const random = Random.seeded(5);
const count = 128;
/** Bytes that stand for image files: of many lengths, one of them twice. */
const files = Array.from({ length: count }, (_, i) =>
  Uint8Array.from({ length: 50 + 37 * (i % 40) }, () => random.integer(256)),
);
const classes = Array.from({ length: count }, (_, i) => (i % 4) - 1);
const classNames = ['dog', 'cat 10', 'cat 2'];

const read = (bytes: Uint8Array, name = 'train.parquet') => readParquetImages([bytesInMemory(name, bytes)]);

async function filesOf(found: FoundImages): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for (const image of found.images) {
    const bytes = await image.read();
    if (bytes.kind === 'file') all.push(bytes.bytes);
  }
  return all;
}

describe('a file of images', () => {
  it.each([
    ['one row group', {}],
    ['several row groups', { rowGroupSize: 30 }],
    ['many pages', { pageSize: 2000 }],
    ['pages that are not packed', { codec: 'UNCOMPRESSED', pageSize: 1000 } as const],
  ])('%s', async (_, options) => {
    const found = await read(parquet(files, classes, { classNames, ...options }));
    expect(found).toMatchObject({ format: 'parquet', origin: 'train.parquet', skipped: [], notes: [] });
    expect(found.classNames).toEqual(['cat 2', 'cat 10', 'dog']);
    expect(found.images.map(({ label }) => label)).toEqual(classes.map((k) => classNames[k]));
    expect(found.images[3]).toMatchObject({ name: 'train.parquet[3]', split: 'train' });
    expect(await filesOf(found)).toEqual(files);
    // In any order, and many at once.
    const some = [127, 0, 64, 3, 127];
    const picked = await Promise.all(some.map((i) => found.images[i]?.read()));
    expect(picked).toEqual(some.map((i) => ({ kind: 'file', bytes: files[i] })));
  });

  it('without names of classes: numbers are their names', async () => {
    const found = await read(parquet(files, classes));
    expect(found.classNames).toEqual(['0', '1', '2']);
    expect(found.images[2]?.label).toBe('1');
  });

  it('reads no more of it than the page of an image', async () => {
    const bytes = parquet(files, classes, { pageSize: 2000, rowGroupSize: 64 });
    const memory = bytesInMemory('train.parquet', bytes);
    let readBytes = 0;
    const source: ByteSource = {
      ...memory,
      read(start, end) {
        readBytes += end - start;
        return memory.read(start, end);
      },
    };
    const found = await readParquetImages([source]);
    await found.images[64]?.read();
    readBytes = 0;
    await found.images[65]?.read();
    expect(readBytes).toBeLessThan(5000);
    readBytes = 0;
    await found.images[65]?.read();
    expect(readBytes).toBe(0);
  });
});

describe('several files', () => {
  const part = (name: string, from: number, to: number) =>
    bytesInMemory(name, parquet(files.slice(from, to), classes.slice(from, to), { classNames }));

  it('are one data set, in the order of their names, and say their split', async () => {
    const found = await readParquetImages([
      part('data/validation-00000-of-00001.parquet', 6, 7),
      part('data/train-00001-of-00002.parquet', 2, 4),
      part('data/train-00000-of-00002.parquet', 0, 2),
      part('data/test-00000-of-00001.parquet', 4, 6),
    ]);
    expect(found.images.map(({ name, split }) => [name, split])).toEqual([
      ['test-00000-of-00001.parquet[0]', 'test'],
      ['test-00000-of-00001.parquet[1]', 'test'],
      ['train-00000-of-00002.parquet[0]', 'train'],
      ['train-00000-of-00002.parquet[1]', 'train'],
      ['train-00001-of-00002.parquet[0]', 'train'],
      ['train-00001-of-00002.parquet[1]', 'train'],
      ['validation-00000-of-00001.parquet[0]', 'val'],
    ]);
    expect(await filesOf(found)).toEqual([4, 5, 0, 1, 2, 3, 6].map((i) => files[i]));
    expect([found.origin, found.notes]).toEqual(['data', []]);
  });

  it.each([
    ['default/test/0000.parquet', 'test'],
    ['cifar-valid.parquet', 'val'],
    ['training data/pets.parquet', undefined],
    ['my test of things.parquet', undefined],
    ['unsupervised-00000-of-00001.parquet', undefined],
  ])('%s: split %s', async (name, split) => {
    const found = await readParquetImages([part(name, 0, 1)]);
    expect(found.images[0]?.split).toBe(split);
  });

  it('of which one is missing is said', async () => {
    const found = await readParquetImages([part('train-00001-of-00003.parquet', 0, 1)]);
    expect(found.notes).toEqual([
      "Of the 3 files train-?????-of-00003.parquet 1 is there: the others' images are missing.",
    ]);
  });

  it('with other classes are refused', async () => {
    const other = bytesInMemory('b.parquet', parquet(files, classes, { classNames: ['x', 'y', 'z'] }));
    await expect(readParquetImages([part('a.parquet', 0, 1), other])).rejects.toThrow(
      'b.parquet: expected the classes of a.parquet. Received: others.',
    );
  });
});

describe('names', () => {
  const named = (paths: (string | null)[]) => read(parquet(files.slice(0, 2), [0, 1], { paths }));
  it('are those of the files, where each has its own', async () => {
    expect((await named(['a/1.png', '2.png'])).images.map(({ name }) => name)).toEqual(['a/1.png', '2.png']);
  });

  it.each([
    ['twice', ['1.png', '1.png']],
    ['out of the folder', ['../1.png', '2.png']],
    ['of a system', ['/etc/passwd', '2.png']],
    ['of Windows', ['C:\\1.png', '2.png']],
    ['not all', [null, '2.png']],
  ])('are places where paths are %s', async (_, paths) => {
    expect((await named(paths)).images.map(({ name }) => name)).toEqual([
      'train.parquet[0]',
      'train.parquet[1]',
    ]);
  });
});

describe('refused', () => {
  const whole = parquet(files, classes, { classNames });
  it.each<[string, Uint8Array, string]>([
    [
      'another file',
      new Uint8Array(100),
      'train.parquet: expected a whole Parquet file. Received: another file, or one that is cut off.',
    ],
    ['nothing', new Uint8Array(), 'Received: another file, or one that is cut off.'],
    ['a file that is cut off', whole.subarray(0, 5000), 'Received: another file, or one that is cut off.'],
    ['a file without its beginning', whole.subarray(3000), 'expected a whole Parquet file. Received: '],
    [
      'a class without a name',
      parquet(
        files,
        classes.map(() => 3),
        { classNames },
      ),
      'train.parquet, column label: expected classes from 0 to 2, or -1 for no label. Received: 3 in row 0.',
    ],
  ])('%s', async (_, bytes, message) => {
    const found = read(bytes).then(filesOf);
    await expect(found).rejects.toMatchObject({ code: 'data', message: expect.stringContaining(message) });
  });

  it('an image that is not in the file', async () => {
    const found = await read(parquet([null, ...files.slice(1)], classes));
    await expect(found.images[0]?.read()).rejects.toThrow(
      'train.parquet, row 0: expected the bytes of an image. Received: nothing.',
    );
    expect(await found.images[1]?.read()).toEqual({ kind: 'file', bytes: files[1] });
  });

  it('a column that is not there', async () => {
    const source = bytesInMemory('train.parquet', whole);
    await expect(readParquetImages([source], { labelColumn: 'klass' })).rejects.toThrow(
      'train.parquet: expected a column "klass" with the labels. Received: image, label.',
    );
    await expect(readParquetImages([source], { imageColumn: 'label' })).rejects.toThrow(
      'train.parquet, column label: expected files of images, as bytes. Received: INT64.',
    );
  });
});

/** Written by pyarrow 25.0.1: six images of one value each in two row groups. */
const golden = {
  'zstd, pages of version 2': [
    'UEFSMRUEFcwBFUhMFQgVABIAACi1L/0gZt0AAIgUABUAAAABFgAAAAIXAAAAAwQQAIr+NK0VLBUGFQwVDFwVCBUAFQgVEBUEFQAS',
    'HAAAAAgCAgPkABUEFUgVSkwVCBUAEgAAKLUv/SAk5QAAoAUAAAAwLnBuZwUAAAAxMjMucG5nAgCACCSKEhUGFQwVDFwVCBUAFQgV',
    'EBUEFQASHAAAAAgCAgPkABUEFUAVPEwVCBUAEgAAKLUv/SAgrQAAcAAAAQACAP//////////A1QCAAMBFQYVDBUMXBUIFQAVCBUQ',
    'FQQVABIcAAAACAECA+QAFQQVchU2TBUEFQASAAAotS/9IDmVAABQGAAAAAQZAAAABQIAANQ10AIVBhUKFQpcFQQVABUEFRAVBBUA',
    'EhwAAAAEAgEDAhUEFSQVNkwVBBUAEgAAKLUv/SASkQAABQAAADQucG5nBQAAADUucG5nFQYVChUKXBUEFQAVBBUQFQQVABIcAAAA',
    'BAIBAwIVBBUQFSJMFQIVABIAACi1L/0gCEEAAAEAAAAAAAAAFQYVChUKXBUEFQIVBBUQFQQVABIcAAAAAwIBAgAVBBlcNQAYBnNj',
    'aGVtYRUEADUCGAVpbWFnZRUEABUMJQIYBWJ5dGVzABUMJQIYBHBhdGglAEwcAAAAFQQlAhgFbGFiZWwAFgwZLBk8JgAcFQwZNQAG',
    'EBkoBWltYWdlBWJ5dGVzFQwWCBamAhaiASZuJggpLBUEFQAVAgAVABUQFQIAPBasARkGGTYAAAgAAAAmABwVDBk1AAYQGSgFaW1h',
    'Z2UEcGF0aBUMFggWoAEWogEmkAImqgEpLBUEFQAVAgAVABUQFQIAPBYoGQYZNgAACAAAACYAHBUEGTUABhAZGAVsYWJlbBUMFggW',
    'mAEWlAEmpAMmzAIpLBUEFQAVAgAVABUQFQIAPCkGGSYACAAAABbeBBYIJggW2AMAGTwmABwVDBk1AAYQGSgFaW1hZ2UFYnl0ZXMV',
    'DBYEFsgBFowBJrIEJuADKSwVBBUAFQIAFQAVEBUCADwWYhkGGTYAAAQAAAAmABwVDBk1AAYQGSgFaW1hZ2UEcGF0aBUMFgQWehaM',
    'ASa+BSbsBCksFQQVABUCABUAFRAVAgA8FhQZBhk2AAAEAAAAJgAcFQQZNQAGEBkYBWxhYmVsFQwWBBZmFngmtgYm+AUpLBUEFQAV',
    'AgAVABUQFQIAPCkGGSYCAgAAABaoAxYEJuADFpADABksGAtodWdnaW5nZmFjZRh8eyJpbmZvIjogeyJmZWF0dXJlcyI6IHsiaW1h',
    'Z2UiOiB7Il90eXBlIjogIkltYWdlIn0sICJsYWJlbCI6IHsibmFtZXMiOiBbImRvZyIsICJjYXQgMTAiLCAiY2F0IDIiXSwgIl90',
    'eXBlIjogIkNsYXNzTGFiZWwifX19fQAYDEFSUk9XOnNjaGVtYRjgBC8vLy8vOEFCQUFBUUFBQUFBQUFLQUE0QUJnQUZBQWdBQ2dB',
    'QUFBQUJCQUFRQUFBQUFBQUtBQXdBQUFBRUFBZ0FDZ0FBQUxnQUFBQUVBQUFBQVFBQUFBd0FBQUFJQUF3QUJBQUlBQWdBQUFDTUFB',
    'QUFCQUFBQUh3QUFBQjdJbWx1Wm04aU9pQjdJbVpsWVhSMWNtVnpJam9nZXlKcGJXRm5aU0k2SUhzaVgzUjVjR1VpT2lBaVNXMWha',
    'MlVpZlN3Z0lteGhZbVZzSWpvZ2V5SnVZVzFsY3lJNklGc2laRzluSWl3Z0ltTmhkQ0F4TUNJc0lDSmpZWFFnTWlKZExDQWlYM1I1',
    'Y0dVaU9pQWlRMnhoYzNOTVlXSmxiQ0o5ZlgxOUFBQUFBQXNBQUFCb2RXZG5hVzVuWm1GalpRQUNBQUFBUUFBQUFBUUFBQUJ3Ly8v',
    'L0FBQUJBaEFBQUFBZ0FBQUFCQUFBQUFBQUFBQUZBQUFBYkdGaVpXd0FBQUFJQUF3QUNBQUhBQWdBQUFBQUFBQUJRQUFBQUtqLy8v',
    'OEFBQUVOR0FBQUFDQUFBQUFFQUFBQUFnQUFBRkFBQUFBVUFBQUFCUUFBQUdsdFlXZGxBQUFBb1AvLy85ai8vLzhBQUFFRkVBQUFB',
    'QmdBQUFBRUFBQUFBQUFBQUFRQUFBQndZWFJvQUFBQUFNai8vLzhRQUJRQUNBQUdBQWNBREFBQUFCQUFFQUFBQUFBQUFRUVFBQUFB',
    'SEFBQUFBUUFBQUFBQUFBQUJRQUFBR0o1ZEdWekFBQUFCQUFFQUFRQUFBQUFBQUFBABggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lv',
    'biAyNS4wLjEZPBwAABwAABwAAAAZBQAAUEFSMQ==',
  ],
  gzip: [
    'UEFSMRUEFcwBFVBMFQgVABIAAB+LCAAAAAAAAgMTYcAORIGYERsQA0owYQXiQBlm7AAADwnecWYAAAAVABUUFTwsFQgVEBUGFQYc',
    'AAAAH4sIAAAAAAACA2NiYGDgYGJifsIAAHwpseMKAAAAFQQVSBVQTBUIFQASAAAfiwgAAAAAAAIDY2VgYDDQK8hLZwUyDGEMIxjD',
    'GMQAANkZYnYkAAAAFQAVFBU8LBUIFRAVBhUGHAAAAB+LCAAAAAAAAgNjYmBg4GBiYn7CAAB8KbHjCgAAABUEFUAVPkwVCBUAEgAA',
    'H4sIAAAAAAACA2NggABGKM0Epf9DAQCcFelbIAAAABUAFRQVPCwVCBUQFQYVBhwAAAAfiwgAAAAAAAIDY2JgYOBgZGJ+wgAArFMR',
    'pAoAAAAVBBVyFUBMFQQVABIAAB+LCAAAAAAAAgOTYGBgYMEBJIFyrLgAACIxtLE5AAAAFQAVEhU6LBUEFRAVBhUGHAAAAB+LCAAA',
    'AAAAAgNjYmBgYGFiZGYCALsKl1MJAAAAFQQVJBVETBUEFQASAAAfiwgAAAAAAAIDY2VgYDDRK8hLZwUyTEEMALVxMnISAAAAFQAV',
    'EhU6LBUEFRAVBhUGHAAAAB+LCAAAAAAAAgNjYmBgYGFiZGYCALsKl1MJAAAAFQQVEBUuTBUCFQASAAAfiwgAAAAAAAIDY2SAAAD3',
    '34ipCAAAABUAFRIVOiwVBBUQFQYVBhwAAAAfiwgAAAAAAAIDY2JgYGBmYmRiAADGhqIWCQAAABUEGVw1ABgGc2NoZW1hFQQANQIY',
    'BWltYWdlFQQAFQwlAhgFYnl0ZXMAFQwlAhgEcGF0aCUATBwAAAAVBCUCGAVsYWJlbAAWDBksGTwmABwVDBk1AAYQGSgFaW1hZ2UF',
    'Ynl0ZXMVBBYIFqQCFtABJnYmCCksFQQVABUCABUAFRAVAgA8FqwBGQYZNgAACAAAACYAHBUMGTUABhAZKAVpbWFnZQRwYXRoFQQW',
    'CBaeARbOASbEAibYASksFQQVABUCABUAFRAVAgA8FigZBhk2AAAIAAAAJgAcFQQZNQAGEBkYBWxhYmVsFQQWCBaWARa8ASaABCam',
    'AyksFQQVABUCABUAFRAVAgA8KQYZJgAIAAAAFtgEFggmCBbaBAAZPCYAHBUMGTUABhAZKAVpbWFnZQVieXRlcxUEFgQWxgEWvAEm',
    'vgUm4gQpLBUEFQAVAgAVABUQFQIAPBZiGQYZNgAABAAAACYAHBUMGTUABhAZKAVpbWFnZQRwYXRoFQQWBBZ4FsABJv4GJp4GKSwV',
    'BBUAFQIAFQAVEBUCADwWFBkGGTYAAAQAAAAmABwVBBk1AAYQGRgFbGFiZWwVBBYEFmQWqgEmqAgm3gcpLBUEFQAVAgAVABUQFQIA',
    'PCkGGSYCAgAAABaiAxYEJuIEFqYEABksGAtodWdnaW5nZmFjZRh8eyJpbmZvIjogeyJmZWF0dXJlcyI6IHsiaW1hZ2UiOiB7Il90',
    'eXBlIjogIkltYWdlIn0sICJsYWJlbCI6IHsibmFtZXMiOiBbImRvZyIsICJjYXQgMTAiLCAiY2F0IDIiXSwgIl90eXBlIjogIkNs',
    'YXNzTGFiZWwifX19fQAYDEFSUk9XOnNjaGVtYRjgBC8vLy8vOEFCQUFBUUFBQUFBQUFLQUE0QUJnQUZBQWdBQ2dBQUFBQUJCQUFR',
    'QUFBQUFBQUtBQXdBQUFBRUFBZ0FDZ0FBQUxnQUFBQUVBQUFBQVFBQUFBd0FBQUFJQUF3QUJBQUlBQWdBQUFDTUFBQUFCQUFBQUh3',
    'QUFBQjdJbWx1Wm04aU9pQjdJbVpsWVhSMWNtVnpJam9nZXlKcGJXRm5aU0k2SUhzaVgzUjVjR1VpT2lBaVNXMWhaMlVpZlN3Z0lt',
    'eGhZbVZzSWpvZ2V5SnVZVzFsY3lJNklGc2laRzluSWl3Z0ltTmhkQ0F4TUNJc0lDSmpZWFFnTWlKZExDQWlYM1I1Y0dVaU9pQWlR',
    'MnhoYzNOTVlXSmxiQ0o5ZlgxOUFBQUFBQXNBQUFCb2RXZG5hVzVuWm1GalpRQUNBQUFBUUFBQUFBUUFBQUJ3Ly8vL0FBQUJBaEFB',
    'QUFBZ0FBQUFCQUFBQUFBQUFBQUZBQUFBYkdGaVpXd0FBQUFJQUF3QUNBQUhBQWdBQUFBQUFBQUJRQUFBQUtqLy8vOEFBQUVOR0FB',
    'QUFDQUFBQUFFQUFBQUFnQUFBRkFBQUFBVUFBQUFCUUFBQUdsdFlXZGxBQUFBb1AvLy85ai8vLzhBQUFFRkVBQUFBQmdBQUFBRUFB',
    'QUFBQUFBQUFRQUFBQndZWFJvQUFBQUFNai8vLzhRQUJRQUNBQUdBQWNBREFBQUFCQUFFQUFBQUFBQUFRUVFBQUFBSEFBQUFBUUFB',
    'QUFBQUFBQUJRQUFBR0o1ZEdWekFBQUFCQUFFQUFRQUFBQUFBQUFBABggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNS4wLjEZ',
    'PBwAABwAABwAAAAaBQAAUEFSMQ==',
  ],
  brotli: [
    'UEFSMRUEFcwBFThMFQgVABIAABtlAAAEvIHD8VKwAQeaerPMvF4BcpSdKRxuniAVABUUFRwsFQgVEBUGFQYcAAAAiwSAAgAAAAgC',
    'AgPkAAMVBBVIFThMFQgVABIAABsjAAAE3GQvtMpQa7A50wFBVCkmW0DyKP34bwEVABUUFRwsFQgVEBUGFQYcAAAAiwSAAgAAAAgC',
    'AgPkAAMVBBVAFSRMFQgVABIAABsfAAAkAwT+sxFDGijnuzvKABUAFRQVHCwVCBUQFQYVBhwAAACLBIACAAAACAECA+QAAxUEFXIV',
    'JkwVBBUAEgAAGzgAAIRxwBqMT0LABDuBnCEuFRUAFRIVGiwVBBUQFQYVBhwAAAAbCAAABO5w6BLAgOcCFQQVJBUsTBUEFQASAACL',
    'CIAFAAAANC5wbmcFAAAANS5wbmcDFQAVEhUaLBUEFRAVBhUGHAAAABsIAAAE7nDoEsCA5wIVBBUQFRZMFQIVABIAABsHAACkAAKC',
    'kkACFQAVEhUaLBUEFRAVBhUGHAAAAAsEgAIAAAADAgECAAMVBBlcNQAYBnNjaGVtYRUEADUCGAVpbWFnZRUEABUMJQIYBWJ5dGVz',
    'ABUMJQIYBHBhdGglAEwcAAAAFQQlAhgFbGFiZWwAFgwZLBk8JgAcFQwZNQAGEBkoBWltYWdlBWJ5dGVzFQgWCBakAhaYASZeJggp',
    'LBUEFQAVAgAVABUQFQIAPBasARkGGTYAAAgAAAAmABwVDBk1AAYQGSgFaW1hZ2UEcGF0aBUIFggWngEWlgEm9AEmoAEpLBUEFQAV',
    'AgAVABUQFQIAPBYoGQYZNgAACAAAACYAHBUEGTUABhAZGAVsYWJlbBUIFggWlgEWggEm9gImtgIpLBUEFQAVAgAVABUQFQIAPCkG',
    'GSYACAAAABbYBBYIJggWsAMAGTwmABwVDBk1AAYQGSgFaW1hZ2UFYnl0ZXMVCBYEFsYBFoIBJvoDJrgDKSwVBBUAFQIAFQAVEBUC',
    'ADwWYhkGGTYAAAQAAAAmABwVDBk1AAYQGSgFaW1hZ2UEcGF0aBUIFgQWeBaIASaCBSa6BCksFQQVABUCABUAFRAVAgA8FhQZBhk2',
    'AAAEAAAAJgAcFQQZNQAGEBkYBWxhYmVsFQgWBBZkFnIm9AUmwgUpLBUEFQAVAgAVABUQFQIAPCkGGSYCAgAAABaiAxYEJrgDFvwC',
    'ABksGAtodWdnaW5nZmFjZRh8eyJpbmZvIjogeyJmZWF0dXJlcyI6IHsiaW1hZ2UiOiB7Il90eXBlIjogIkltYWdlIn0sICJsYWJl',
    'bCI6IHsibmFtZXMiOiBbImRvZyIsICJjYXQgMTAiLCAiY2F0IDIiXSwgIl90eXBlIjogIkNsYXNzTGFiZWwifX19fQAYDEFSUk9X',
    'OnNjaGVtYRjgBC8vLy8vOEFCQUFBUUFBQUFBQUFLQUE0QUJnQUZBQWdBQ2dBQUFBQUJCQUFRQUFBQUFBQUtBQXdBQUFBRUFBZ0FD',
    'Z0FBQUxnQUFBQUVBQUFBQVFBQUFBd0FBQUFJQUF3QUJBQUlBQWdBQUFDTUFBQUFCQUFBQUh3QUFBQjdJbWx1Wm04aU9pQjdJbVps',
    'WVhSMWNtVnpJam9nZXlKcGJXRm5aU0k2SUhzaVgzUjVjR1VpT2lBaVNXMWhaMlVpZlN3Z0lteGhZbVZzSWpvZ2V5SnVZVzFsY3lJ',
    'NklGc2laRzluSWl3Z0ltTmhkQ0F4TUNJc0lDSmpZWFFnTWlKZExDQWlYM1I1Y0dVaU9pQWlRMnhoYzNOTVlXSmxiQ0o5ZlgxOUFB',
    'QUFBQXNBQUFCb2RXZG5hVzVuWm1GalpRQUNBQUFBUUFBQUFBUUFBQUJ3Ly8vL0FBQUJBaEFBQUFBZ0FBQUFCQUFBQUFBQUFBQUZB',
    'QUFBYkdGaVpXd0FBQUFJQUF3QUNBQUhBQWdBQUFBQUFBQUJRQUFBQUtqLy8vOEFBQUVOR0FBQUFDQUFBQUFFQUFBQUFnQUFBRkFB',
    'QUFBVUFBQUFCUUFBQUdsdFlXZGxBQUFBb1AvLy85ai8vLzhBQUFFRkVBQUFBQmdBQUFBRUFBQUFBQUFBQUFRQUFBQndZWFJvQUFB',
    'QUFNai8vLzhRQUJRQUNBQUdBQWNBREFBQUFCQUFFQUFBQUFBQUFRUVFBQUFBSEFBQUFBUUFBQUFBQUFBQUJRQUFBR0o1ZEdWekFB',
    'QUFCQUFFQUFRQUFBQUFBQUFBABggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNS4wLjEZPBwAABwAABwAAAAZBQAAUEFSMQ==',
  ],
};

it.each(Object.entries(golden))('what pyarrow wrote with %s', async (_, base64) => {
  const found = await read(Uint8Array.from(Buffer.from(base64.join(''), 'base64')));
  expect(found.images.map(({ name, label }) => [name, label])).toEqual([
    ['0.png', 'dog'],
    ['1.png', 'cat 10'],
    ['2.png', 'cat 2'],
    ['3.png', undefined],
    ['4.png', undefined],
    ['5.png', 'cat 10'],
  ]);
  expect(await filesOf(found)).toEqual([0, 1, 2, 3, 4, 5].map((i) => new Uint8Array(20 + i).fill(i)));
});

it('what pyarrow writes in any way', async ({ skip }) => {
  const python = await pythonWith('pyarrow.parquet');
  if (python === undefined) return skip();
  const program = `
import base64, itertools, json, pyarrow as pa, pyarrow.parquet as pq
images = [bytes([i % 256]) * (i * 7 % 100) for i in range(80)]
image = pa.StructArray.from_arrays([pa.array(images, pa.binary()), pa.array([f'{i}.png' for i in range(80)])], ['bytes', 'path'])
labels = {
  'int8': pa.array([i % 4 - 1 for i in range(80)], pa.int8()),
  'nulls': pa.array([None if i % 4 == 0 else i % 4 - 1 for i in range(80)], pa.int64()),
  'floats': pa.array([None if i % 4 == 0 else i % 4 - 1 for i in range(80)], pa.float64()),
  'texts': pa.array([['', '0', '1', '2'][i % 4] for i in range(80)]),
}
result = {}
for (name, label), codec, version, dictionary in itertools.product(labels.items(), ['none', 'snappy', 'gzip', 'zstd', 'brotli'], ['1.0', '2.0'], [True, False]):
  file = pa.BufferOutputStream()
  pq.write_table(pa.table({'image': image, 'label': label}), file, compression=codec, data_page_version=version, use_dictionary=dictionary, row_group_size=32, data_page_size=1000)
  result[f'{name} {codec} {version} {dictionary}'] = base64.b64encode(file.getvalue()).decode()
print(json.dumps(result))
`;
  const written = JSON.parse(await runPython(python, program, {})) as Record<string, string>;
  for (const [name, base64] of Object.entries(written)) {
    const found = await read(Uint8Array.from(Buffer.from(base64, 'base64')));
    expect([name, found.images.map(({ label }) => label)]).toEqual([
      name,
      Array.from({ length: 80 }, (_, i) => [undefined, '0', '1', '2'][i % 4]),
    ]);
    const expected = Array.from({ length: 80 }, (_, i) => new Uint8Array((i * 7) % 100).fill(i % 256));
    expect([name, await filesOf(found)]).toEqual([name, expected]);
  }
});

it('gives the same images and labels as NPZ and IDX files of them, bit for bit', async () => {
  const [size, many] = [32, 12];
  const area = size * size * 3;
  const pixels = Uint8Array.from({ length: many * area }, () => random.integer(256));
  const labels = Uint8Array.from({ length: many }, (_, i) => i % 3);
  const images = Array.from({ length: many }, (_, i) => pixels.subarray(i * area, (i + 1) * area));
  const raw = { width: size, height: size, channels: 3 } as const;
  const pngs = await Promise.all(images.map((image) => sharp(image, { raw }).png().toBuffer()));

  const sources = await Promise.all([
    read(parquet(pngs, [...labels])),
    readNumpyImages([
      bytesInMemory(
        'set.npz',
        npz({ x_train: npy('|u1', [many, size, size, 3], pixels), y_train: npy('|u1', [many], labels) }),
      ),
    ]),
    readIdxImages('folder', [
      {
        split: 'train',
        images: bytesInMemory('train-images', idx([many, size, size, 3], pixels)),
        labels: bytesInMemory('train-labels', idx([many], labels)),
      },
    ]),
  ]);
  for (const found of sources) {
    expect(found.classNames).toEqual(['0', '1', '2']);
    expect(found.images.map(({ label, split }) => [label, split])).toEqual(
      [...labels].map((k) => [String(k), 'train']),
    );
    for (const [i, image] of found.images.entries()) {
      const bytes = await image.read();
      const decoded =
        bytes.kind === 'pixels' ? bytes.pixels : Uint8Array.from(await sharp(bytes.bytes).raw().toBuffer());
      expect(decoded).toEqual(images[i]);
    }
  }
});

it('opens files, and closes them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quarterturn-parquet-'));
  try {
    const path = join(folder, 'train-00000-of-00001.parquet');
    await writeFile(path, parquet(files, classes));
    const found = await openParquetImages([path]);
    expect(await filesOf(found)).toEqual(files);
    await found.close?.();
    await expect(openParquetImages([path, join(folder, 'no.parquet')])).rejects.toMatchObject({
      code: 'data',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { RunFolder } from '../store/run-folder.node.js';
import { assertModelPath, explainedData, openRun } from './named-path.js';

let folder: string;
const at = (path: string) => join(folder, path);
const put = async (path: string, content = '') => {
  await fs.mkdir(join(at(path), '..'), { recursive: true });
  await fs.writeFile(at(path), content);
};

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-named-'));
  await put('photos/a.png', 'no matter');
  await put('labels.csv', 'file,label\na.png,cat\n');
  await put('labels.json', '{ "images": [{ "index": 1, "label": null }] }');
  await put('notes.md', '# Notes');
  await put('settings.json', '{ "draws": 2, "network": { "width": 1 } }');
  for (const run of ['whole', 'begun']) {
    const store = await RunFolder.create(at(run));
    await store.writeJson('config', {});
    if (run === 'whole') await store.writeModel('classifier', new Uint8Array(3));
    await store.close();
  }
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** Message and hint without the folder. */
async function told(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (!(error instanceof QuarterturnError)) return 'nothing';
  return `${error.code}: ${error.message} ${error.hint}`.replaceAll(`${folder}/`, '');
}

describe('a model', () => {
  const asked = (path: string, others: readonly string[] = []) =>
    told(assertModelPath(at(path), { command: 'predict', others: others.map(at) }));

  test.each(['whole', 'whole/models/classifier.onnx', 'notes.md', 'settings.json', 'none.onnx'])(
    'may be %s',
    async (path) => {
      expect(await asked(path, ['photos'])).toBe('nothing');
    },
  );

  test('behind its images is told to be swapped with them', async () => {
    expect(await asked('photos', ['whole/models/classifier.onnx'])).toBe(
      'usage: predict photos: expected the model first. Received: a folder that no run has written, and an ONNX file behind it. Swap them: quarterturn predict whole/models/classifier.onnx photos',
    );
    expect(await asked('none', ['photos', 'whole'])).toMatch(/Swap them: quarterturn predict whole none$/);
  });

  test('is not a folder of pictures, labels, or a run without one', async () => {
    expect(await asked('photos')).toMatch(
      /Received: a folder that no run has written\. .*predict <model> photos$/,
    );
    expect(await asked('labels.csv', ['photos'])).toMatch(/Received: a file of labels\./);
    expect(await asked('begun', ['photos'])).toMatch(
      /Received: a run that has none yet\. .*run --resume begun/,
    );
  });
});

describe('a run', () => {
  test('is opened; of its model the run is named', async () => {
    const store = await openRun(at('begun'), { readOnly: true });
    expect(store.name).toBe(at('begun'));
    await store.close();
    expect(await told(openRun(at('whole/models/classifier.onnx')))).toMatch(
      /^usage: whole\/models\/classifier\.onnx: expected the folder of a run\. Received: an ONNX file\. Name the run: whole$/,
    );
  });

  test('is not a folder of pictures, and the hint is that of the command', async () => {
    const hint = 'Begin with another command.';
    expect(await told(openRun(at('photos'), { hint }))).toMatch(/^usage: .* Begin with another command\.$/);
    expect(await told(openRun(at('none'), { hint }))).toMatch(
      /^checkpoint: .* Begin with another command\.$/,
    );
  });
});

test('images are not labels, a run or a model; another failure stays what it was', async () => {
  const cause = new QuarterturnError('data', 'photos: expected images.', { hint: 'Look.' });
  const explained = async (path: string) => told(Promise.reject(await explainedData(at(path), cause)));
  for (const file of ['labels.csv', 'labels.json'])
    expect(await explained(file)).toMatch(new RegExp(`Received: a file of labels\\. .*--labels ${file}$`));
  expect(await explained('whole')).toMatch(/Received: the folder of a run\. .*run --resume whole/);
  expect(await explained('whole/models/classifier.onnx')).toMatch(/quarterturn model whole/);
  expect(await explained('photos')).toBe('data: photos: expected images. Look.');
  const io = new QuarterturnError('io', 'labels.csv: expected to read it.');
  expect(await explainedData(at('labels.csv'), io)).toBe(io);
});

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageDataset } from '../../src/data/dataset.js';
import { readRange } from '../../src/data/image-source.js';
import { readMnist } from '../../src/data/mnist.node.js';
import { idx } from './tiny-data.js';

/** Settings, put over those of a preset, with which a whole run on some hundred images takes seconds. */
export const smallSettings = {
  network: { width: 0.0625 },
  pretrain: { epochs: 2, stepsPerEpoch: 4, batchSize: 32 },
  finetune: { epochs: 4 },
  selfTrain: { epochs: 2, stepsPerEpoch: 6, labelledPerStep: 8, pairsPerStep: 28 },
  baseline: { epochs: 2 },
};

/**
 * So few steps that a run is little more than its start: what it learns is looked at by other tests. Of a single label a class
 * none is held back, which halves a run; the runs that every document finds have more of them.
 */
export const smallestSettings = {
  ...smallSettings,
  labelsPerClass: 1,
  pretrain: { ...smallSettings.pretrain, epochs: 1 },
  finetune: { epochs: 1 },
  selfTrain: { ...smallSettings.selfTrain, epochs: 1, stepsPerEpoch: 3 },
};

/** A folder with the four IDX files of MNIST, cut down to the first images of each. */
export async function writeMnistSubset(
  folder: string,
  counts: { train: number; test: number },
): Promise<void> {
  const mnist = await readMnist();
  await mkdir(folder, { recursive: true });
  const write = async (stem: string, { images, labels }: ImageDataset, count: number) => {
    const { height, width } = images;
    const { data: pixels } = await readRange(images, 0, count);
    const classes = Uint8Array.from(labels!.subarray(0, count));
    await writeFile(join(folder, `${stem}-images-idx3-ubyte`), idx([count, height, width], pixels));
    await writeFile(join(folder, `${stem}-labels-idx1-ubyte`), idx([count], classes));
  };
  await write('train', mnist.train, counts.train);
  await write('t10k', mnist.test!, counts.test);
}

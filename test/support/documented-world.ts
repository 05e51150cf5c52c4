import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll } from 'vitest';
import { Project } from '../../src/studio/project/project.node.js';
import { root } from './compile.js';
import { encodeMobileNet } from './encoders.js';
import { smallestSettings, writeMnistSubset } from './mnist-subset.js';
import { zip } from './npz.js';
import { filesBelow, writePictures } from './picture-folder.js';

/** What every document finds in the current folder: images, runs, a model, labels to be given. */
export interface World {
  /** A folder that begins as every document's does. */
  newFolder(): Promise<string>;
  /**
   * What a command printed, on both streams.
   * @throws Error with all that it said where it fails
   */
  shell(command: string, cwd: string): Promise<string>;
  remove(): Promise<void>;
}

const { selfTrain: _, ...withoutSelfTraining } = smallestSettings;

/** The world of the tests of a file: made before the first of them, removed after the last. */
export function useWorld(): () => World {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  }, 600_000);
  afterAll(() => world?.remove());
  return () => world;
}

async function createWorld(): Promise<World> {
  const world = await fs.mkdtemp(join(tmpdir(), 'quarterturn-documents-'));
  const shell = (command: string, cwd: string) => run(command, cwd, world);
  const path = (...parts: string[]) => join(world, 'start', ...parts);
  await writeMnistSubset(path('my-images'), { train: 400, test: 100 });
  await fs.copyFile(path('my-images/t10k-images-idx3-ubyte'), path('t10k-images-idx3-ubyte'));
  await writeDigits(path());
  // A network as somebody would have it; one that is known by name is elsewhere.
  await fs.writeFile(path('net.onnx'), encodeMobileNet());
  await writePictures(path('photos'));
  const photos = await filesBelow(path('photos'));
  await fs.writeFile(path('photos.zip'), zip(photos));
  for (const name of ['my-pictures', 'photos']) {
    await (await Project.open(path(name), { who: 'command line' })).close();
  }
  const labelled = Object.keys(photos).filter((file) => /\/000/.test(file));
  const rows = labelled.map((file) => `${file},${file.split('/')[0]}`);
  await fs.writeFile(path('labels.csv'), ['file,label', ...rows].join('\n'));
  await fs.writeFile(path('small.json'), JSON.stringify(smallestSettings));
  await fs.writeFile(path('small-notebook.json'), JSON.stringify(withoutSelfTraining));
  await fs.mkdir(join(world, 'bin'));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin/quarterturn.js')}" "$@"\n`;
  await fs.writeFile(join(world, 'bin/quarterturn'), program, { mode: 0o755 });

  const begin = '--data my-images --config small.json --threads 1 --out';
  await shell(`quarterturn run ${begin} runs/name --labels-per-class 4`, path());
  await shell(`quarterturn pretrain ${begin} runs/turns`, path());
  await shell('quarterturn suggest runs/turns', path());
  await fs.copyFile(path('runs/name/models/classifier.onnx'), path('model.onnx'));
  for (const part of [1, 2]) {
    await shell(`quarterturn predict model.onnx photos --shard ${part}/2 --out answers-${part}.part`, path());
  }
  for (const run of ['five', 'quick-20250314-101245']) {
    await fs.cp(path('runs/name'), path('runs', run), { recursive: true });
  }
  return {
    shell,
    newFolder: async () => {
      const folder = await fs.mkdtemp(join(world, 'document-'));
      await fs.cp(path(), folder, { recursive: true });
      return folder;
    },
    remove: () => fs.rm(world, { recursive: true, force: true }),
  };
}

/** `digit.png`, as a person would have it: larger than MNIST's, and two more beside it; folders of them. */
async function writeDigits(folder: string): Promise<void> {
  const bytes = await fs.readFile(join(folder, 't10k-images-idx3-ubyte'));
  const pictureFolders = ['my-pictures', 'scans'];
  for (const name of pictureFolders) await fs.mkdir(join(folder, name));
  for (const [i, name] of ['digit', 'one', 'two'].entries()) {
    const pixels = bytes.subarray(16 + i * 784, 16 + (i + 1) * 784);
    const image = sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } }).resize(112, 112);
    await image.png().toFile(join(folder, `${name}.png`));
    for (const each of pictureFolders) await image.jpeg().toFile(join(folder, each, `${name}.jpg`));
  }
}

async function run(command: string, cwd: string, world: string): Promise<string> {
  const PATH = `${join(world, 'bin')}${delimiter}${process.env.PATH}`;
  const { FORCE_COLOR: _, ...env } = process.env;
  return promisify(execFile)('sh', ['-c', command], {
    cwd,
    env: { ...env, PATH, XDG_CACHE_HOME: join(world, 'cache'), XDG_CONFIG_HOME: join(world, 'config') },
  }).then(
    ({ stdout, stderr }) => stderr + stdout,
    (error: { code: number; stdout: string; stderr: string }) => {
      throw new Error(`${command}\nends with ${error.code}:\n${error.stderr}${error.stdout}`);
    },
  );
}

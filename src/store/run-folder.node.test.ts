import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { float32 } from '../tensor/tensor.js';
import { temporaryPath } from './atomic-file.node.js';
import type { Checkpoint } from './checkpoint.js';
import { RunFolder } from './run-folder.node.js';
import type { EpochRecord } from './run-record.js';

let parent: string;
let path: string;
const opened: RunFolder[] = [];

beforeEach(async () => {
  parent = await fs.mkdtemp(join(tmpdir(), 'quarterturn-'));
  path = join(parent, 'run');
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const folder of opened.splice(0)) await folder.close();
  await fs.rm(parent, { recursive: true });
});

async function create(): Promise<RunFolder> {
  const folder = await RunFolder.create(path);
  opened.push(folder);
  return folder;
}

async function open(): Promise<RunFolder> {
  const folder = await RunFolder.open(path);
  opened.push(folder);
  return folder;
}

const checkpoint = (step: number): Checkpoint => ({
  tensors: { w: float32([4], [step, step, step, step]) },
  state: { step },
});

const epoch = (number: number): EpochRecord => ({
  stage: 'pretrain',
  draw: 0,
  epoch: number,
  step: number,
  train: { accuracy: 0.5, loss: 0.7 },
  learningRate: 0.1,
  durationMs: 1,
  imagesPerSecond: 1,
});

describe('layout', () => {
  test('every part has its place, and nothing else is left in the folder', async () => {
    const folder = await create();
    await folder.writeJson('config', { seed: 1 });
    await folder.writeJson('result', {});
    await folder.writeJson('exhibits', {});
    await folder.appendEpoch(epoch(1));
    expect(await folder.saveCheckpoint('latest', checkpoint(1))).toBe(
      join(path, 'checkpoints/latest.safetensors'),
    );
    expect(await folder.writeModel('classifier', Uint8Array.of(8))).toBe(
      join(path, 'models/classifier.onnx'),
    );
    expect(await folder.writeReport('<!doctype html>')).toBe(join(path, 'report.html'));
    await folder.close();
    const entries = await fs.readdir(path, { recursive: true });
    expect(entries.sort()).toEqual([
      'checkpoints',
      'checkpoints/latest.safetensors',
      'config.json',
      'exhibits.json',
      'metrics.jsonl',
      'models',
      'models/classifier.onnx',
      'report.html',
      'result.json',
    ]);
    expect(await fs.readFile(join(path, 'config.json'), 'utf8')).toBe('{\n  "seed": 1\n}\n');
  });
});

describe('create and open', () => {
  test('create refuses a folder that holds a run, and leaves it as it was', async () => {
    const folder = await create();
    await folder.writeJson('config', { seed: 1 });
    await folder.close();
    await expect(RunFolder.create(path)).rejects.toMatchObject({
      code: 'checkpoint',
      message: `${path}: expected a folder without a run. Received: config.json.`,
      hint: expect.stringContaining('--resume'),
    });
    expect(await fs.readdir(path)).toEqual(['config.json']);
  });

  test('create takes a folder that holds other things', async () => {
    await fs.mkdir(path);
    await fs.writeFile(join(path, 'notes.txt'), 'mine');
    await create();
    expect(await fs.readFile(join(path, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('open refuses what is no run', async () => {
    await expect(RunFolder.open(path)).rejects.toMatchObject({
      code: 'checkpoint',
      message: `${path}: expected a run folder. Received: nothing there.`,
    });
    await fs.mkdir(join(path, 'checkpoints'), { recursive: true });
    await expect(RunFolder.open(path)).rejects.toThrow('a folder without config.json or checkpoints');
    await fs.writeFile(join(parent, 'file'), '');
    await expect(RunFolder.open(join(parent, 'file'))).rejects.toMatchObject({ code: 'io' });
  });

  test('open takes a folder that holds only a checkpoint', async () => {
    const folder = await create();
    await folder.saveCheckpoint('latest', checkpoint(3));
    await folder.close();
    expect((await (await open()).loadCheckpoint('latest'))?.state).toEqual({ step: 3 });
  });

  test('the state of a checkpoint is read from its header alone', async () => {
    const folder = await create();
    const file = await folder.saveCheckpoint('latest', checkpoint(3));
    const { size } = await fs.stat(file);
    await fs.truncate(file, size - 1);
    expect(await folder.loadState('latest')).toEqual({ step: 3 });
    await expect(folder.loadCheckpoint('latest')).rejects.toMatchObject({ code: 'checkpoint' });
    await fs.truncate(file, 40);
    await expect(folder.loadState('latest')).rejects.toThrow(
      `${file}: expected a header within the 32 bytes.`,
    );
    await fs.truncate(file, 4);
    await expect(folder.loadState('latest')).rejects.toThrow('expected a safetensors file, at least 8 bytes');
  });

  test('read-only opens beside a writer, reads and reports, and writes nothing else', async () => {
    const writer = await create();
    await writer.writeJson('config', { seed: 1 });
    const reader = await RunFolder.open(path, { readOnly: true });
    expect(await reader.readJson('config')).toEqual({ seed: 1 });
    await reader.writeReport('<html>');
    await expect(reader.writeJson('config', {})).rejects.toThrow('opened for writing');
    await expect(reader.appendEpoch(epoch(1))).rejects.toThrow('opened for writing');
    await expect(reader.saveCheckpoint('latest', checkpoint(1))).rejects.toThrow('opened for writing');
    await reader.close();
    await writer.writeJson('config', { seed: 2 }); // its lock is untouched
  });
});

describe('lock', () => {
  test('a second writer is refused, in the same process too, until the first closes', async () => {
    const first = await create();
    await first.writeJson('config', {});
    await expect(RunFolder.open(path)).rejects.toMatchObject({
      code: 'io',
      message: `${path}: expected a run that no other process writes. Received: process ${process.pid}.`,
    });
    await first.close();
    await expect(first.writeJson('config', {})).rejects.toThrow('opened for writing');
    const second = await open();
    await first.close(); // closing twice takes nothing from the second
    expect(await fs.readdir(join(path, '.lock'))).toHaveLength(1);
    await second.writeJson('config', { seed: 2 });
  });

  test('a run that was taken over is written no more by who had it', async () => {
    const folder = await create();
    await folder.writeJson('config', { seed: 1 });
    await folder.appendEpoch(epoch(1));
    const [entry] = await fs.readdir(join(path, '.lock'));
    await fs.rm(join(path, '.lock', entry!)); // as another host does after a long silence
    const winner = await open();
    const taken = {
      code: 'io',
      message: `${path}: expected the lock of this process. Received: process ${process.pid}.`,
      hint: expect.stringContaining('writes no more'),
    };
    await expect(folder.writeJson('config', { seed: 2 })).rejects.toMatchObject(taken);
    await expect(folder.appendEpoch(epoch(2))).rejects.toMatchObject(taken);
    await expect(folder.rewindEpochs(() => false)).rejects.toMatchObject(taken);
    await expect(folder.saveCheckpoint('latest', checkpoint(1))).rejects.toMatchObject(taken);
    await expect(folder.writeModel('classifier', Uint8Array.of(1))).rejects.toMatchObject(taken);
    await expect(folder.writeReport('<html>')).rejects.toMatchObject(taken);
    await folder.close();
    await winner.appendEpoch(epoch(3)); // its lock is untouched
    expect((await winner.readEpochs()).map((record) => record.epoch)).toEqual([1, 3]);
    expect(await winner.readJson('config')).toEqual({ seed: 1 });
    expect((await fs.readdir(path)).sort()).toEqual(['.lock', 'config.json', 'metrics.jsonl']);
  });
});

describe('after a kill', () => {
  const metrics = () => join(path, 'metrics.jsonl');

  async function runWithEpochs(): Promise<void> {
    const folder = await create();
    await folder.writeJson('config', {});
    for (const number of [1, 2, 3]) await folder.appendEpoch(epoch(number));
    await folder.close();
  }

  test('a last line cut off anywhere is dropped, and appending goes on after the rest', async () => {
    await runWithEpochs();
    const whole = await fs.readFile(metrics());
    const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (let length = lastLine; length < whole.length; length += 7) {
      await fs.writeFile(metrics(), whole.subarray(0, length));
      const reader = await RunFolder.open(path, { readOnly: true });
      expect((await reader.readEpochs()).map((record) => record.epoch)).toEqual([1, 2]);
      const folder = await RunFolder.open(path);
      await folder.appendEpoch(epoch(4));
      expect((await folder.readEpochs()).map((record) => record.epoch)).toEqual([1, 2, 4]);
      await folder.close();
    }
  });

  test.each(['{"stage":"pre', '{"stage":"pretrain"}', 'null'])(
    'a line %j in the middle is an error',
    async (bad) => {
      await runWithEpochs();
      const lines = (await fs.readFile(metrics(), 'utf8')).split('\n');
      await fs.writeFile(metrics(), [lines[0], bad, ...lines.slice(2)].join('\n'));
      await expect((await open()).readEpochs()).rejects.toMatchObject({
        code: 'checkpoint',
        message: expect.stringContaining('metrics.jsonl, line 2: expected'),
      });
    },
  );

  /** The name of a temporary file, once of a process that has ended and once of this one. */
  async function temporaries(file: string): Promise<{ dead: string; ours: string }> {
    const ours = basename(temporaryPath(join(path, file)));
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    return { ours, dead: ours.replace(`-${process.pid}-`, `-${child.pid}-`) };
  }

  test('temporary files are cleared away, and nothing else', async () => {
    const folder = await create();
    await folder.saveCheckpoint('latest', checkpoint(1));
    await folder.close();
    const { dead, ours } = await temporaries('latest.safetensors');
    const foreign = dead.replace(/[0-9a-f]{12}-/, 'aaaaaaaaaaaa-');
    for (const name of [dead, ours, foreign, `old-${foreign}`]) {
      await fs.writeFile(join(path, 'checkpoints', name), 'half');
    }
    const longAgo = Date.now() / 1000 - 2 * 60 * 60;
    await fs.utimes(join(path, 'checkpoints', `old-${foreign}`), longAgo, longAgo);
    await fs.mkdir(join(path, dead)); // as of a lock that was about to be taken
    await fs.writeFile(join(path, dead, 'entry'), '');
    await fs.writeFile(join(path, 'notes.tmp'), 'mine');
    await (await open()).close();
    expect((await fs.readdir(path, { recursive: true })).sort()).toEqual(
      [
        'checkpoints',
        'checkpoints/latest.safetensors',
        'notes.tmp',
        `checkpoints/${ours}`,
        `checkpoints/${foreign}`,
      ].sort(),
    );
  });

  test('a report clears away what a killed one left, not what a living one writes', async () => {
    await (await create()).writeJson('config', {});
    const { dead, ours } = await temporaries('report.html');
    for (const name of [dead, ours]) await fs.writeFile(join(path, name), 'half');
    const reader = await RunFolder.open(path, { readOnly: true });
    expect(await fs.readdir(path)).toContain(dead); // reading alone changes nothing
    await reader.writeReport('<html>');
    expect(await fs.readdir(path)).not.toContain(dead);
    expect(await fs.readdir(path)).toContain(ours);
  });

  test('a damaged document names its file', async () => {
    await (await create()).writeJson('config', {});
    await fs.writeFile(join(path, 'config.json'), '{');
    await expect(opened[0]!.readJson('config')).rejects.toThrow(
      `${join(path, 'config.json')}: expected a name in double quotes or a closing brace at line 1, column 2.`,
    );
  });
});

describe('a write that fails', () => {
  /** From now on, files opened for writing accept half of what they are given. */
  function fillDisk(code = 'ENOSPC'): void {
    const realOpen = fs.open;
    vi.spyOn(fs, 'open').mockImplementation(async (...args) => {
      const file = await realOpen(...args);
      vi.spyOn(file, 'writeFile').mockImplementation(async (content) => {
        const bytes = Buffer.from(content as Uint8Array);
        await file.write(bytes.subarray(0, bytes.length / 2));
        throw Object.assign(new Error(`${code}: write`), { code });
      });
      return file;
    });
  }

  async function snapshot(): Promise<Record<string, string>> {
    const names = await fs.readdir(path, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(
      await Promise.all(files.map(async (file) => [file, await fs.readFile(file, 'base64')])),
    );
  }

  test('leaves every file as it was, for each kind of write', async () => {
    const folder = await create();
    await folder.writeJson('config', { seed: 1 });
    await folder.saveCheckpoint('latest', checkpoint(1));
    await folder.writeModel('classifier', Uint8Array.of(1, 2));
    await folder.writeReport('<html>');
    for (const number of [1, 2]) await folder.appendEpoch(epoch(number));
    const before = await snapshot();
    fillDisk();
    const full = { code: 'io', hint: expect.stringContaining('Free some space') };
    await expect(folder.writeJson('config', { seed: 2 })).rejects.toMatchObject(full);
    await expect(folder.saveCheckpoint('latest', checkpoint(2))).rejects.toMatchObject({
      ...full,
      message: `${join(path, 'checkpoints/latest.safetensors')}: expected to write it. Received: ENOSPC, the disk is full.`,
    });
    await expect(folder.saveCheckpoint('new', checkpoint(2))).rejects.toMatchObject(full);
    await expect(folder.writeModel('classifier', Uint8Array.of(3, 4))).rejects.toMatchObject(full);
    await expect(folder.writeReport('other')).rejects.toMatchObject(full);
    await expect(folder.appendEpoch(epoch(3))).rejects.toMatchObject(full);
    await expect(folder.rewindEpochs(() => false)).rejects.toMatchObject(full);
    expect(await snapshot()).toEqual(before);

    vi.restoreAllMocks();
    await folder.appendEpoch(epoch(3));
    expect((await folder.readEpochs()).map((record) => record.epoch)).toEqual([1, 2, 3]);
  });

  test.each([
    ['EDQUOT', 'quota'],
    ['EACCES', 'permission denied'],
    ['EROFS', 'read-only'],
    ['EIO', 'EIO, the disk failed'],
    ['EMFILE', 'too many files are open in this process'],
    ['ENOMEM', 'the memory is used up'],
    ['EXDEV', 'EXDEV: write'],
  ])('%s is told as it is', async (code, text) => {
    const folder = await create();
    fillDisk(code);
    await expect(folder.writeJson('config', {})).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(text),
      cause: expect.objectContaining({ code }),
    });
  });

  test('a file where a folder is needed, and a folder where a file is', async () => {
    await fs.writeFile(join(parent, 'file'), '');
    for (const occupied of [join(parent, 'file'), join(parent, 'file', 'run')]) {
      await expect(RunFolder.create(occupied)).rejects.toMatchObject({
        code: 'io',
        message: expect.stringContaining(occupied),
        hint: expect.stringContaining('--out'),
      });
    }
    const folder = await create();
    await fs.writeFile(join(path, 'checkpoints'), 'mine');
    await expect(folder.saveCheckpoint('latest', checkpoint(1))).rejects.toMatchObject({ code: 'io' });
    expect(await fs.readFile(join(path, 'checkpoints'), 'utf8')).toBe('mine');
    await fs.mkdir(join(path, 'config.json'));
    await expect(folder.writeJson('config', {})).rejects.toMatchObject({ code: 'io' });
  });

  test('a run folder that was deleted meanwhile is not made again', async () => {
    const folder = await create();
    await fs.rm(path, { recursive: true });
    await expect(folder.saveCheckpoint('latest', checkpoint(1))).rejects.toThrow('the folder is gone');
    expect(existsSync(path)).toBe(false);
    await folder.close();
  });
});

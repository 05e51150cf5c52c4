import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CompiledFolder, compile } from '../../test/support/compile.js';
import { newOwnerName } from '../owner.node.js';
import { FolderLock } from './folder-lock.node.js';

let folder: string;
let path: string;
const taken: FolderLock[] = [];

beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-lock-'));
  path = join(folder, '.lock');
});
afterEach(async () => {
  vi.useRealTimers();
  for (const lock of taken.splice(0)) await lock.release();
  await fs.rm(folder, { recursive: true });
});

async function take(): Promise<FolderLock> {
  const lock = await FolderLock.take(path);
  taken.push(lock);
  return lock;
}

/** Put a holder into the lock that was last seen `ageS` seconds ago. */
async function plant(name: string, ageS = 0, host = 'somewhere'): Promise<string> {
  const entry = join(path, name);
  await fs.mkdir(path, { recursive: true });
  await fs.writeFile(entry, `${host}\n`);
  const seen = Date.now() / 1000 - ageS;
  await fs.utimes(entry, seen, seen);
  return entry;
}

/** The name of a holder that differs from this process in some part. */
function ownerName(change: { place?: string; pid?: number; startTicks?: string }): string {
  const [place, pid, startTicks, rest] = newOwnerName().split('-');
  return [change.place ?? place, change.pid ?? pid, change.startTicks ?? startTicks, rest].join('-');
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

const knowsStartTicks = existsSync('/proc/self/stat');

describe('one process', () => {
  test('takes, is found by others, releases; nothing is left', async () => {
    const lock = await take();
    await lock.assertHeld();
    await expect(FolderLock.take(path)).rejects.toMatchObject({
      code: 'io',
      message: `${folder}: expected a run that no other process writes. Received: process ${process.pid}.`,
      hint: expect.not.stringContaining('cannot be seen'),
    });
    expect(await fs.readdir(folder)).toEqual(['.lock']);
    await lock.release();
    expect(await fs.readdir(folder)).toEqual([]);
    await take();
  });

  test('takes a lock that is an empty folder, as of a process killed while it released', async () => {
    await fs.mkdir(path);
    await (await take()).assertHeld();
  });

  test('says what to do about a file that an earlier version left', async () => {
    await fs.writeFile(path, '{"pid":1}');
    await expect(FolderLock.take(path)).rejects.toMatchObject({
      code: 'io',
      message: `${path}: expected a folder, the lock of a run. Received: a file.`,
      hint: expect.stringContaining('delete it'),
    });
    expect(await fs.readdir(folder)).toEqual(['.lock']);
  });

  test.each(['exit', 'throw'])('leaves no lock where it ends at once by %s', async (how) => {
    const { path: compiled, remove } = await compile(['src/store/folder-lock.node.ts']);
    try {
      const program = `
        import { FolderLock } from ${JSON.stringify(join(compiled, 'src/store/folder-lock.node.js'))};
        await FolderLock.take(${JSON.stringify(path)});
        process.stdout.write(String((await import('node:fs')).existsSync(${JSON.stringify(path)})));
        ${how === 'exit' ? 'process.exit(3)' : "setTimeout(() => { throw new Error('unforeseen'); })"};`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
      let output = '';
      child.stdout.on('data', (text) => {
        output += text;
      });
      await once(child, 'close');
      expect(output).toBe('true');
      expect(await fs.readdir(folder)).toEqual([]);
    } finally {
      await remove();
    }
  });
});

describe('who is dead', () => {
  test('a process of this place lives as long as it runs, however silent it is', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const name = ownerName({ pid: child.pid!, startTicks: await startTicksOf(child.pid!) });
    await plant(name, knowsStartTicks ? 3600 : 0);
    await expect(FolderLock.take(path)).rejects.toThrow(`Received: process ${child.pid}.`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await take();
    expect(existsSync(join(path, name))).toBe(false);
  });

  test.runIf(knowsStartTicks)(
    'another process under the number of a dead one does not live for it',
    async () => {
      await plant(ownerName({ startTicks: '1' }));
      await take();
    },
  );

  test('one of another place lives as long as its heart beats', async () => {
    // The number of a process that runs here says nothing of one that runs elsewhere, and neither does a dead one.
    for (const pid of [process.pid, await deadPid()]) {
      const name = ownerName({ place: 'aaaaaaaaaaaa', pid });
      await plant(name, 4.5 * 60, 'lab-7\u001b[2J');
      await expect(FolderLock.take(path)).rejects.toMatchObject({
        message: expect.stringContaining(`Received: process ${pid} of another host or container, lab-72J.`),
        hint: expect.stringContaining(`if you know it to be dead, delete ${path}, or try again in 1 min.`),
      });
      await plant(name, 6 * 60);
      await (await take()).release();
      expect(existsSync(path)).toBe(false);
    }
  });

  test('where nothing can be told of a holder, its silence decides', async () => {
    await plant('nobody', 60);
    await expect(FolderLock.take(path)).rejects.toThrow(
      /Received: a process that cannot be told, in .*nobody\./,
    );
    await plant('nobody', 6 * 60);
    await take();
  });
});

describe('the heart', () => {
  test('beats while the process does other things, and changes nothing but the time', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await take();
    const [name] = await fs.readdir(path);
    const entry = join(path, name!);
    const before = await fs.readFile(entry, 'utf8');
    await fs.utimes(entry, 1, 1);
    vi.advanceTimersByTime(10_000);
    await vi.waitFor(
      async () => expect((await fs.stat(entry)).mtimeMs).toBeGreaterThan(Date.now() - 60_000),
      { timeout: 60_000 },
    );
    expect(await fs.readFile(entry, 'utf8')).toBe(before);
  });

  test('a holder that was silent too long finds another in its place, and leaves that one alone', async () => {
    const lock = await take();
    const [name] = await fs.readdir(path);
    await fs.rm(join(path, name!));
    const other = ownerName({ place: 'aaaaaaaaaaaa', pid: 12 });
    await plant(other, 0, 'lab-7');
    await expect(lock.assertHeld()).rejects.toMatchObject({
      code: 'io',
      message: `${folder}: expected the lock of this process. Received: process 12 of another host or container, lab-7.`,
      hint: expect.stringContaining('writes no more'),
    });
    await lock.release();
    expect(await fs.readdir(path)).toEqual([other]);
  });

  test('a lock that was deleted is held no more', async () => {
    const lock = await take();
    await fs.rm(path, { recursive: true });
    await expect(lock.assertHeld()).rejects.toThrow('Received: none, it was deleted.');
  });
});

/**
 * A contender: takes the lock when told to, and each call of the file system comes after a pause and before another one,
 * so that any other contender may do anything between two of its calls.
 */
const contender = (compiled: string) => `
  import fs from 'node:fs/promises';
  import { setTimeout as sleep } from 'node:timers/promises';
  const pause = () => sleep(Math.random() < 0.3 ? Math.random() * 25 : 0);
  for (const name of ['mkdir', 'writeFile', 'stat', 'rename', 'readdir', 'open', 'unlink', 'rmdir', 'rm']) {
    const real = fs[name];
    fs[name] = async (...args) => {
      await pause();
      try { return await real(...args); } finally { await pause(); }
    };
  }
  const { FolderLock } = await import(${JSON.stringify(join(compiled, 'src/store/folder-lock.node.js'))});
  let lock;
  process.on('message', async ({ act, path }) => {
    try {
      if (act === 'take') lock = await FolderLock.take(path);
      if (act === 'release') await lock.release();
      process.send({ done: true });
    } catch (error) {
      process.send({ done: false, code: error.code, message: error.message });
    }
  });
  process.send({ done: true });`;

interface Answer {
  readonly done: boolean;
  readonly code?: string;
  readonly message?: string;
}

/** Rounds of six contenders; a night has time for more. */
const rounds = Number(process.env.QUARTERTURN_LOCK_ROUNDS ?? 20);

describe('six contenders, each held up at random between any two of its steps', () => {
  let compiled: CompiledFolder;
  let contenders: ChildProcess[];

  beforeAll(async () => {
    compiled = await compile(['src/store/folder-lock.node.ts']);
    const script = join(compiled.path, 'contender.mjs');
    await fs.writeFile(script, contender(compiled.path));
    contenders = Array.from({ length: 6 }, () => fork(script));
    await Promise.all(contenders.map((each) => once(each, 'message')));
  });
  afterAll(async () => {
    for (const each of contenders) each.kill('SIGKILL');
    await compiled.remove();
  });

  async function ask(each: ChildProcess, act: 'take' | 'release'): Promise<Answer> {
    each.send({ act, path });
    const [answer] = await once(each, 'message');
    return answer as Answer;
  }

  test.each([
    ['a free folder', async () => {}],
    ['what a killed process left', async () => void (await plant(ownerName({ pid: await deadPid() })))],
    [
      'what a silent process of another host left',
      async () => void (await plant(ownerName({ place: 'aaaaaaaaaaaa' }), 900)),
    ],
    ['what a process left that was killed while it released', async () => void (await fs.mkdir(path))],
  ])(
    '%s: exactly one has it in each round',
    async (_, begin) => {
      for (let round = 0; round < rounds / 4; round++) {
        await begin();
        const answers = await Promise.all(contenders.map((each) => ask(each, 'take')));
        const winners = contenders.filter((_, i) => answers[i]!.done);
        expect(winners).toHaveLength(1);
        for (const answer of answers.filter(({ done }) => !done)) {
          expect(answer).toMatchObject({
            code: 'io',
            message: expect.stringContaining(`Received: process `),
          });
        }
        expect(await fs.readdir(path)).toHaveLength(1);
        expect(await ask(winners[0]!, 'release')).toEqual({ done: true });
        expect(await fs.readdir(folder)).toEqual([]);
      }
    },
    60_000 + 2000 * rounds,
  );

  test(
    'they take it in turns, and never two have it at once',
    async () => {
      let holders = 0;
      let turns = 0;
      await Promise.all(
        contenders.map(async (each) => {
          for (let i = 0; i < rounds / 2; i++) {
            const answer = await ask(each, 'take');
            if (!answer.done) continue;
            turns++;
            expect(++holders).toBe(1);
            await sleep(Math.random() * 20);
            expect(holders--).toBe(1);
            expect(await ask(each, 'release')).toEqual({ done: true });
          }
        }),
      );
      expect(turns).toBeGreaterThan(0);
      expect(await fs.readdir(folder)).toEqual([]);
    },
    60_000 + 2000 * rounds,
  );
});

async function startTicksOf(pid: number): Promise<string> {
  const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}

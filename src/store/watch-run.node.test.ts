import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LoggedEvent } from './event-log.js';
import { encodeEvent } from './event-log.js';
import type { RunEvent } from './run-event.js';
import { RunFolder } from './run-folder.node.js';
import { watchRun } from './watch-run.node.js';

const at = '2026-01-02T03:04:05.000Z';
const runStart = (resumed = false): LoggedEvent => ({
  ...{ type: 'run-start', run: 'r', stages: ['finetune'], draws: 1, resumed, at },
});
const runEnd = (state: 'finished' | 'failed' | 'interrupted'): LoggedEvent => ({
  ...{ type: 'run-end', run: 'r', state, at },
});
const evaluated = (accuracy: number): LoggedEvent => ({
  ...{ type: 'evaluated', title: 'Größe', metrics: { accuracy, loss: 1 }, at },
});
const line = (event: LoggedEvent) => `${encodeEvent(event)}\n`;

let path: string;
let log: string;
beforeEach(async () => {
  path = await fs.mkdtemp(join(tmpdir(), 'quarterturn-watch-'));
  log = join(path, 'events.jsonl');
});

/** Watches until it ends, and tells what came so far. */
function watching(options: { signal?: AbortSignal } = {}) {
  const found: LoggedEvent[] = [];
  const done = (async () => {
    for await (const event of watchRun(path, { everyMs: 2, ...options })) found.push(event);
  })();
  const seen = async (count: number) => {
    while (found.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
    return found.length;
  };
  return { found, done, seen };
}

describe('watchRun', () => {
  it('yields events as they come, from the beginning, and ends when the run has finished', async () => {
    const { found, done, seen } = watching();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await fs.writeFile(log, line(runStart()));
    await seen(1);
    // Half a line, cut within a letter of two bytes, is no line yet.
    const bytes = Buffer.from(line(evaluated(0.5)));
    const cut = bytes.indexOf('ö') + 1;
    await fs.appendFile(log, bytes.subarray(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(found).toHaveLength(1);
    await fs.appendFile(log, bytes.subarray(cut));
    await seen(2);
    await fs.appendFile(log, line(runEnd('finished')));
    await done;
    expect(found).toEqual([runStart(), evaluated(0.5), runEnd('finished')]);
  });

  it('follows a run across a process that was killed in the middle of a line, and one that resumes', async () => {
    await fs.writeFile(join(path, 'config.json'), '{}');
    await fs.writeFile(log, line(runStart()) + line(evaluated(0.1)) + line(evaluated(0.2)).slice(0, 30));
    const { found, done, seen } = watching();
    await seen(2);
    const resumed = await RunFolder.open(path);
    await resumed.appendEvents([runStart(true), evaluated(0.3)]);
    await seen(4);
    await resumed.appendEvents([runEnd('finished')]);
    await done;
    await resumed.close();
    expect(found).toEqual([
      ...[runStart(), evaluated(0.1), runStart(true), evaluated(0.3), runEnd('finished')],
    ]);
  });

  it('waits for a run that failed or was stopped, and goes past the end of a stage that was added to later', async () => {
    const ends = [runStart(), runEnd('failed'), runStart(true), runEnd('finished')];
    const more = [runStart(true), runEnd('interrupted')];
    await fs.writeFile(log, [...ends, ...more].map(line).join(''));
    const { found, done, seen } = watching();
    await seen(6);
    await fs.appendFile(log, line(runStart(true)) + line(runEnd('finished')));
    await done;
    expect(found).toHaveLength(8);
  });

  it('stops when the signal says so, with its reason', async () => {
    await fs.writeFile(log, line(runStart()));
    const controller = new AbortController();
    const { done, seen } = watching({ signal: controller.signal });
    await seen(1);
    controller.abort('seen enough');
    await expect(done).rejects.toMatchObject({ code: 'interrupted', cause: 'seen enough' });
  });

  it('has nothing to tell of a finished run of an earlier version', async () => {
    await fs.writeFile(join(path, 'result.json'), '{}');
    const { found, done } = watching();
    await done;
    expect(found).toEqual([]);
  });

  it.each([
    ['no JSON', '{"type":\n', /events\.jsonl, line 2: expected a value/],
    ['an event that there is not', `{"at":"${at}","type":"lunch"}\n`, /line 2: expected an event of a run/],
  ])('refuses %s, naming the line', async (_, text, message) => {
    await fs.writeFile(log, line(runStart()) + text);
    await expect(watching().done).rejects.toThrow(message);
  });

  it('refuses a folder that is not there, and a log that became shorter', async () => {
    const nowhere = watchRun(join(path, 'nowhere'));
    await expect(nowhere.next()).rejects.toMatchObject({ code: 'checkpoint' });
    await fs.writeFile(log, line(runStart()));
    const { done, seen } = watching();
    await seen(1);
    await fs.writeFile(log, '');
    await expect(done).rejects.toThrow(/expected a file that only grows/);
  });

  it('reads what another process appends while it is killed at any moment', async () => {
    await fs.writeFile(join(path, 'config.json'), '{}');
    const { found, done, seen } = watching();
    const text = JSON.stringify(line(evaluated(0.5)).repeat(50));
    // A moment between two lines: a writer that never rests is ahead of every reader by the megabyte.
    const program = `const fs = require('node:fs');
      const moment = new Int32Array(new SharedArrayBuffer(4));
      for (;;) {
        fs.appendFileSync(${JSON.stringify(log)}, ${text});
        Atomics.wait(moment, 0, 0, 2);
      }`;
    for (let round = 1; round <= 3; round++) {
      const child = spawn(process.execPath, ['-e', program]);
      await seen(found.length + 50);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const folder = await RunFolder.open(path);
      await folder.appendEvents([runStart(true)]);
      await folder.close();
      // It may have been seen by now.
      const resumed = () => found.filter(({ type }) => type === 'run-start').length;
      while (resumed() < round) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const folder = await RunFolder.open(path);
    await folder.appendEvents([runEnd('finished')]);
    await folder.close();
    await done;
    const others = found.filter(({ type }) => type !== 'evaluated');
    expect(others).toEqual([runStart(true), runStart(true), runStart(true), runEnd('finished')]);
  });
});

describe('an event that cannot be read back', () => {
  it('is left out of the log', async () => {
    const folder = await RunFolder.create(join(path, 'run'));
    const broken = { type: 'evaluated', title: 't', metrics: { accuracy: Number.NaN, loss: 1 } } as RunEvent;
    await folder.appendEvents([{ ...broken, at }]);
    await folder.appendEvents([{ ...broken, at }, runStart()]);
    await folder.close();
    expect(await fs.readFile(join(path, 'run/events.jsonl'), 'utf8')).toBe(line(runStart()));
  });
});

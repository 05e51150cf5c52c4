import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { root } from '../../../test/support/compile.js';
import { act, hashOf, intents, shown } from '../../../test/support/label-intents.js';
import { FolderLock } from '../../store/folder-lock.node.js';
import { type JournalUpdate, LabelJournal, redoLast, undoLast } from './journal.node.js';
import { DamagedJournal } from './journal-file.node.js';
import { decodeLine, encodeLine, type LabelEvent } from './label-events.js';
import { encodeSnapshot, sha256Of } from './label-snapshot.node.js';
import { LabelState } from './label-state.js';

let folder: string;
const file = (name = 'labels.jsonl') => join(folder, name);
const opened: LabelJournal[] = [];
async function open(who = 'studio'): Promise<LabelJournal> {
  const journal = await LabelJournal.open(folder, { who });
  opened.push(journal);
  return journal;
}
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-journal-'));
});
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close();
  await fs.rm(folder, { recursive: true });
});

const add: LabelEvent = {
  type: 'add-class',
  class: { id: 'c1', name: 'cat', colour: '#0072b2', key: '1' },
};
const label = (...images: readonly number[]): LabelEvent => ({
  type: 'label',
  labels: [{ class: 'c1', images: images.map(hashOf) }],
});
const linesIn = async () => (await fs.readFile(file(), 'utf8')).split('\n').slice(0, -1);

/** Text of a journal, and the state that it leads to. */
function written(all: Parameters<typeof act>[1]): { readonly text: string; readonly state: LabelState } {
  const state = new LabelState();
  const at = '2026-11-28T00:00:00.000Z';
  const lines = act(state, all).map((event, i) => encodeLine({ seq: i + 1, at, who: 'studio', event }));
  return { text: lines.join(''), state };
}

/** The state after the whole lines of a text. */
function replayed(text: string): LabelState {
  const state = new LabelState();
  for (const line of text.split('\n').slice(0, -1)) {
    const entry = decodeLine(line);
    if (entry !== undefined) state.apply(entry.event, entry.seq);
  }
  return state;
}

describe('one process', () => {
  test('what was saved is there again, with who, when and the undo of all', async () => {
    const journal = await open();
    await journal.append(add);
    await journal.append(label(1, 2, 3));
    expect(await journal.append(label(2))).toBeUndefined(); // it changes nothing: no line
    expect(await journal.append(undoLast)).toMatchObject({
      seq: 3,
      who: 'studio',
      event: { type: 'undo', of: 2 },
    });
    await journal.append(redoLast);
    await journal.append({ type: 'mark', mark: 'unsure', images: [hashOf(3)] });
    const before = shown(journal.state);
    expect(before).toMatchObject({ counts: { c1: 2, unsure: 1, skipped: 0 }, labelled: 2 });
    await journal.close();
    expect((await linesIn()).map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3, 4, 5]);

    const again = await open('command line');
    expect(shown(again.state)).toEqual(before);
    while (await again.append(undoLast));
    expect(shown(again.state)).toEqual(shown(new LabelState()));
    while (await again.append(redoLast));
    expect(shown(again.state)).toEqual(before);
    await again.close();
    expect(await fs.readdir(folder)).toEqual(['labels.jsonl']);
  });

  test('appends that are asked for at the same time share few writes, and keep their order', async () => {
    const journal = await open();
    const take = vi.spyOn(FolderLock, 'take');
    try {
      await Promise.all([
        journal.append(add),
        ...Array.from({ length: 200 }, (_, i) => journal.append(label(i))),
      ]);
      expect(take.mock.calls.length).toBeLessThanOrEqual(2);
    } finally {
      take.mockRestore();
    }
    const images = (await linesIn()).slice(1).map((line) => JSON.parse(line).event.labels[0].images[0]);
    expect(images).toEqual(Array.from({ length: 200 }, (_, i) => hashOf(i)));
  });

  test('an event that is not possible is refused by itself, and leaves no line', async () => {
    const journal = await open();
    const [first, second, third] = await Promise.allSettled([
      journal.append(add),
      journal.append({ ...label(1), labels: [{ class: 'c7', images: [hashOf(1)] }] } as LabelEvent),
      journal.append(label(2)),
    ]);
    expect([first.status, second.status, third.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(second).toMatchObject({ reason: { code: 'usage', message: expect.stringContaining('c7') } });
    await expect(journal.append({ type: 'mark', mark: 'lost' } as never)).rejects.toMatchObject({
      code: 'usage',
    });
    expect(await linesIn()).toHaveLength(2);
  });

  test('what could not be written has not happened', async () => {
    const journal = await open();
    await journal.append(add);
    await fs.rm(folder, { recursive: true });
    await expect(journal.append(label(1))).rejects.toMatchObject({ code: 'io' });
    await fs.mkdir(folder);
    // The file is another one, too: the project is what the disk says.
    await journal.refresh();
    expect(shown(journal.state)).toEqual(shown(new LabelState()));
  });

  test('names are kept as people mean them', async () => {
    const journal = await open();
    const name = ' Cafe\u0301 '; // an e, and an accent behind it
    await journal.append({ type: 'add-class', class: { id: 'c1', name, colour: '#0072b2', key: null } });
    expect(journal.state.classes[0]?.name).toBe('Café');
    await expect(journal.append({ type: 'rename-class', class: 'c1', name: 'two\nlines' })).rejects.toThrow(
      'without line breaks',
    );
  });
});

describe('what a killed process leaves', () => {
  test('a journal cut at any byte opens with every whole line, and keeps the rest aside', async () => {
    const at = fc.double({ min: 0, max: 1, noNaN: true });
    const property = fc.asyncProperty(intents, at, async (all, share) => {
      for (const name of await fs.readdir(folder)) await fs.rm(file(name));
      const whole = Buffer.from(written(all).text);
      const cut = whole.subarray(0, Math.round(share * whole.length));
      await fs.writeFile(file(), cut);
      const journal = await open();
      const rest = cut.subarray(cut.lastIndexOf(10) + 1);
      expect(shown(journal.state)).toEqual(shown(replayed(cut.toString())));
      const kept = (await fs.readdir(folder)).filter((name) => name.includes('.torn-'));
      expect(kept).toHaveLength(rest.length > 0 ? 1 : 0);
      if (kept[0]) expect((await fs.readFile(file(kept[0]))).equals(rest)).toBe(true);
      const { seq } = journal.state;
      await journal.append(
        (state) => ({ ...add, class: { ...add.class, id: state.nextClassId, name: 'new' } }) as LabelEvent,
      );
      expect((await linesIn()).length).toBe(seq + 1);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  test('a torn line longer than a window is cut off, too, also while the journal is open', async () => {
    const journal = await open();
    await journal.append(add);
    await fs.appendFile(file(), `{"seq":2,${' '.repeat(200_000)}`);
    await journal.append(label(5));
    expect((await linesIn()).map((line) => JSON.parse(line).seq)).toEqual([1, 2]);
  });

  test('a damaged line in the middle is named, and nothing is changed', async () => {
    const journal = await open();
    for (const event of [add, label(1), label(2)]) await journal.append(event);
    await journal.close();
    const lines = await linesIn();
    for (const [bad, received] of [
      ['{"seq":2,"at":"now"}', '"{\\"seq\\":2,\\"at\\":\\"now\\"}"'],
      [lines[1]!.replace('"seq":2', '"seq":3'), 'expected event 2 next. Received: event 3'],
      [lines[1]!.replace('c1', 'c5'), 'c5, which is not'],
    ]) {
      const text = `${[lines[0], bad, lines[2]].join('\n')}\n`;
      await fs.writeFile(file(), text);
      const error = await open().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(DamagedJournal);
      expect(error).toMatchObject({
        code: 'data',
        file: file(),
        line: 2,
        message: expect.stringContaining(received!),
      });
      expect(await fs.readFile(file(), 'utf8')).toBe(text);
    }
  });
});

describe('snapshots', () => {
  test('a snapshot and the rest equal the journal alone', async () => {
    const at = fc.double({ min: 0, max: 1, noNaN: true });
    const property = fc.asyncProperty(intents, at, async (all, share) => {
      for (const name of await fs.readdir(folder)) await fs.rm(file(name));
      const { text, state } = written(all);
      await fs.writeFile(file(), text);
      const lines = text.split('\n').slice(0, -1);
      const before = lines
        .slice(0, Math.round(share * lines.length))
        .map((line) => `${line}\n`)
        .join('');
      const journal = { bytes: Buffer.byteLength(before), sha256: sha256Of(before) };
      await fs.writeFile(file('labels.snapshot.json'), encodeSnapshot(replayed(before), journal));
      const read = (await open()).state;
      expect(shown(read)).toEqual(shown(state));
      expect(read.parts.undo).toEqual(state.parts.undo);
      expect([read.parts.redo, read.nextClassId]).toEqual([state.parts.redo, state.nextClassId]);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  test('one is left at the end, used, and passed over where it is damaged or of another journal', async () => {
    const journal = await open();
    await Promise.all(
      [add, ...Array.from({ length: 300 }, (_, i) => label(i))].map((event) => journal.append(event)),
    );
    await journal.close();
    const [text, snapshot] = await Promise.all([
      fs.readFile(file(), 'utf8'),
      fs.readFile(file('labels.snapshot.json'), 'utf8'),
    ]);
    const opensWith = async (lines: string, kept: string) => {
      await fs.writeFile(file(), lines);
      await fs.writeFile(file('labels.snapshot.json'), kept);
      const decode = vi.spyOn(JSON, 'parse');
      try {
        const { state } = await open();
        return { count: state.countOf('c1'), parsed: decode.mock.calls.length };
      } finally {
        decode.mockRestore();
      }
    };
    expect(await opensWith(text, snapshot)).toEqual({ count: 300, parsed: 1 });
    for (const bad of ['', snapshot.slice(0, -9), snapshot.replace('"seq":301', '"seq":300'), '{}']) {
      expect((await opensWith(text, bad)).count).toBe(300);
    }
    // The journal was cut back, or another one put in its place.
    const lines = text.split('\n').slice(0, -1);
    expect((await opensWith(`${lines.slice(0, 100).join('\n')}\n`, snapshot)).count).toBe(99);
    const other = `${text.replaceAll(hashOf(7), hashOf(1007))}`;
    await opensWith(other, snapshot);
    expect(opened.at(-1)?.state.labelOf(hashOf(1007))).toBe('c1');
  });
});

describe('several processes', () => {
  test('each sees what the other does, and its own undo undoes the last of both', async () => {
    const [studio, command] = [await open(), await open('command line')];
    const updates: JournalUpdate[] = [];
    studio.onChange((update) => updates.push(update));
    await command.append(add);
    await command.append(label(1, 2));
    await vi.waitFor(() => expect(updates.flatMap(({ lines }) => lines)).toHaveLength(2), { timeout: 5000 });
    expect(studio.state.countOf('c1')).toBe(2);
    await studio.append(label(3));
    await command.append(undoLast);
    await studio.refresh();
    expect([studio.state, command.state].map((state) => state.countOf('c1'))).toEqual([2, 2]);
    expect((await linesIn()).map((line) => JSON.parse(line).who)).toEqual([
      'command line',
      'command line',
      'studio',
      'command line',
    ]);
  });

  test('a copy that is put back is read anew', async () => {
    const journal = await open();
    const updates: JournalUpdate[] = [];
    for (const event of [add, label(1)]) await journal.append(event);
    const copy = await fs.readFile(file());
    await journal.append(label(2));
    journal.onChange((update) => updates.push(update));
    await fs.writeFile(file(), copy);
    await vi.waitFor(() => expect(updates).toEqual([{ lines: [], isNew: true }]), { timeout: 5000 });
    await journal.append(label(4));
    expect(Object.keys(shown(journal.state).labels)).toEqual([hashOf(1), hashOf(4)]);
  });

  const child = (what: string, ...args: readonly string[]) => {
    const journal = JSON.stringify(join(root, 'dist/studio/project/journal.node.js'));
    const program = `
      import { LabelJournal } from ${journal};
      const [folder, from] = process.argv.slice(2);
      const hashOf = (i) => i.toString(16).padStart(32, '0');
      const label = (i) => ({ type: 'label', labels: [{ class: 'c1', images: [hashOf(i)] }] });
      const journal = await LabelJournal.open(folder, { who: 'child' });
      ${what}`;
    return fs
      .writeFile(file('child.mjs'), program)
      .then(() =>
        fork(file('child.mjs'), [folder, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
      );
  };

  test('two that append 200 events each lose none, and come to the same', async () => {
    const journal = await open();
    await journal.append(add);
    const what = `
      process.send('ready');
      await new Promise((go) => process.once('message', go));
      for (let i = 0; i < 200; i += 4) {
        await Promise.all([0, 1, 2, 3].map((k) => journal.append(label(Number(from) + i + k))));
      }
      await journal.refresh();
      process.send({ ended: journal.state.seq });
      process.disconnect();`;
    const children = [await child(what, '0'), await child(what, '1000')];
    await Promise.all(children.map((each) => once(each, 'message')));
    const exited = children.map((each) => once(each, 'exit'));
    for (const each of children) each.send('go');
    await Promise.all(exited);
    await journal.refresh();
    expect([journal.state.seq, journal.state.countOf('c1')]).toEqual([401, 400]);
    const fromChild = (await linesIn())
      .slice(1)
      .map((line) => parseInt(JSON.parse(line).event.labels[0].images[0], 16));
    const of = (from: number) => fromChild.filter((i) => i >= from && i < from + 1000);
    expect([of(0), of(1000)]).toEqual(
      [0, 1000].map((from) => Array.from({ length: 200 }, (_, i) => from + i)),
    );
    expect(shown((await open()).state)).toEqual(shown(journal.state));
  });

  test('kill -9 in the middle of a burst loses nothing that was said to be saved', async () => {
    const what = `
      let i = Number(from);
      const go = async () => { for (;;) { const n = i++; await journal.append(label(n)); process.send(n); } };
      for (let k = 0; k < 8; k++) void go();`;
    const first = await open();
    await first.append(add);
    const saved = new Set<number>();
    for (let round = 0; round < 4; round++) {
      const burst = await child(what, String(round * 100_000));
      const exited = once(burst, 'exit');
      const enough = new Promise<void>((resolve) => {
        const wanted = saved.size + 20 + Math.random() * 40;
        burst.on('message', (n) => {
          saved.add(Number(n));
          if (saved.size >= wanted) resolve();
        });
      });
      await enough;
      burst.kill('SIGKILL');
      await exited;
      const journal = await LabelJournal.open(folder, { who: 'studio' });
      const { labels } = shown(journal.state);
      expect([...saved].filter((n) => labels[hashOf(n)] !== 'c1')).toEqual([]);
      await journal.close();
    }
  });
});

/**
 * Whether what the studio calls saved is there after its process was killed: `node bench/studio-kills.mjs FOLDER [kills, default 20]`.
 *
 * Four clients label images one after the other, as quickly as they are answered. After a time of its own, each studio is killed
 * (SIGKILL) in the middle of that. The next one on the same project has to have every label that was answered. Build first:
 * `node scripts/setup.mjs`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const [source, count = '20'] = process.argv.slice(2);
if (source === undefined) {
  console.error('bench: expected a folder of pictures. Received: nothing.');
  process.exit(2);
}
const kills = Number(count);
const clients = 4;
const program = fileURLToPath(new URL('../bin/quarterturn.js', import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), 'quarterturn-bench-'));
const env = { ...process.env, XDG_CONFIG_HOME: scratch, XDG_DATA_HOME: scratch };
const places = ['--project', join(scratch, 'project'), '--cache', join(scratch, 'cache')];

/** The studio that was begun last. */
let child;

async function begin() {
  child = spawn(process.execPath, [program, 'studio', '--no-open', resolve(source), ...places], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await new Promise((found) =>
    child.stdout.once('data', (text) => found(String(text).trim())),
  );
  const [origin, token] = address.split('/#token=');
  const headers = { 'x-quarterturn-token': token, 'content-type': 'application/json' };
  const ask = async (path, body) => {
    const answer = await fetch(`${origin}${path}`, {
      headers,
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  for (;;) {
    const found = await ask('/api/images?count=500').catch(() => undefined);
    if (found !== undefined) return { ask, ids: found.images.map(({ id }) => id) };
    await sleep(100);
  }
}

/** What was called saved last of each image. */
const saved = new Map();
const answersMs = [];
let [lost, asked, answered, number] = [0, 0, 0, 0];

async function check({ ask }) {
  const { images, total } = await ask('/api/images?queue=labelled&count=500');
  const found = new Map(images.map(({ id, label }) => [id, label]));
  if (total > images.length) throw new Error('more labels than a page');
  for (const [id, { label, under }] of saved) {
    // What was under way when it was killed may be there, too.
    if (found.get(id) !== label && !under.has(found.get(id))) {
      lost++;
      console.log(`LOST   ${id}: ${label}, found ${found.get(id)}`);
    }
    saved.set(id, { label: found.get(id), under: new Set() });
  }
}

try {
  for (let kill = 0; kill < kills; kill++) {
    const studio = await begin();
    if (kill === 0) {
      for (const k of [1, 2, 3]) {
        const one = { id: `c${k}`, name: `class ${k}`, colour: '#0072b2', key: null };
        await studio.ask('/api/labels', { type: 'add-class', class: one });
      }
    }
    await check(studio);
    let isKilled = false;
    const burst = Array.from({ length: clients }, async (_, client) => {
      for (let i = client; !isKilled; i += clients) {
        const [id, label] = [studio.ids[i % studio.ids.length], `c${1 + (number++ % 3)}`];
        const before = saved.get(id) ?? { label: undefined, under: new Set() };
        before.under.add(label);
        saved.set(id, before);
        asked++;
        const beganMs = performance.now();
        try {
          await studio.ask('/api/labels', { type: 'label', labels: [{ class: label, images: [id] }] });
        } catch {
          return;
        }
        answered++;
        answersMs.push(performance.now() - beganMs);
        saved.set(id, { label, under: new Set() });
      }
    });
    await sleep(300 + Math.random() * 1200);
    child.kill('SIGKILL');
    isKilled = true;
    await Promise.all(burst);
    await new Promise((ended) =>
      (child.exitCode ?? child.signalCode) ? ended() : child.once('exit', ended),
    );
  }
  const last = await begin();
  await check(last);
  child.kill('SIGINT');
  await new Promise((ended) => child.once('exit', ended));
  const sorted = answersMs.toSorted((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.floor(share * (sorted.length - 1))]);
  console.log(
    `${lost === 0 ? 'ok    ' : 'FAILED'} ${kills} kills: ${answered} labels were called saved (of ${asked} asked for), ${lost} are missing; answered after ${at(0.5)} ms in the median, ${at(0.95)} ms at the 95th percentile`,
  );
  process.exitCode = lost === 0 ? 0 : 1;
} finally {
  child?.kill('SIGKILL');
  await rm(scratch, { recursive: true, force: true });
}

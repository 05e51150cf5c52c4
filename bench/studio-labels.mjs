/**
 * How quick labelling in the studio is, at rest and while a training runs on all cores: the example's images, a hundred of them
 * labelled, then one label after the other, as somebody presses keys.
 *
 *   node bench/studio-labels.mjs [seconds of each part, default 20]
 *
 * `label` is the time from the request to the answer, which comes once the label is synced to the disk; `next` the same and then
 * the next image's picture. Build first: `node scripts/setup.mjs`.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const seconds = Number(process.argv[2] ?? 20);
/** Between two keys: somebody quick. */
const everyMs = 200;

const folder = await mkdtemp(join(tmpdir(), 'quarterturn-bench-'));
const program = fileURLToPath(new URL('../bin/quarterturn.js', import.meta.url));
const studio = spawn(process.execPath, [program, 'studio', '--no-open'], {
  env: { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const address = await new Promise((resolve) =>
  studio.stdout.once('data', (text) => resolve(String(text).trim())),
);
const [origin, token] = address.split('/#token=');

async function ask(method, path, body) {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: { 'x-quarterturn-token': token, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
const json = async (...request) => (await ask(...request)).json();

/** The newest training state and the pile's phase, from the event stream's first word. */
async function state() {
  const { body } = await ask('GET', '/api/events');
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const data = /^data: (.*)$/m.exec(chunk)?.[1];
    if (data !== undefined) return JSON.parse(data).state;
  }
}

async function labelFor(images, ms) {
  const times = { label: [], next: [] };
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const image = images.next().value;
    const began = performance.now();
    await ask('POST', '/api/labels', {
      type: 'label',
      labels: [{ class: `c${image.foundClass + 1}`, images: [image.id] }],
    });
    times.label.push(performance.now() - began);
    await (await ask('GET', `/api/images/${images.peek().id}`)).arrayBuffer();
    times.next.push(performance.now() - began);
    await sleep(Math.max(0, everyMs - (performance.now() - began)));
  }
  return times;
}

function quantiles(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q) => `${sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))].toFixed(1)} ms`;
  return `n ${sorted.length}, median ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}`;
}
const print = (title, { label, next }) => {
  console.log(`${title}: label ${quantiles(label)}`);
  console.log(`${title}: next  ${quantiles(next)}`);
};

try {
  await ask('POST', '/api/pile', { example: 'mnist' });
  while ((await state()).pile.phase !== 'ready') await sleep(200);
  const { images } = await json('GET', '/api/images?queue=all&count=500');
  for (let k = 0; k < 10; k++) {
    const one = { id: `c${k + 1}`, name: `${k}`, colour: '#0072b2', key: null };
    await ask('POST', '/api/labels', { type: 'add-class', class: one });
    const ids = images.filter(({ foundClass }) => foundClass === k).slice(0, 10);
    await ask('POST', '/api/labels', {
      type: 'label',
      labels: [{ class: one.id, images: ids.map(({ id }) => id) }],
    });
  }
  let at = 0;
  const queue = {
    next: () => ({ value: images[at++ % images.length] }),
    peek: () => images[at % images.length],
  };
  const load = () => loadavg()[0].toFixed(1);
  console.log(
    `${availableParallelism()} cores (${cpus()[0].model}), Node ${process.version}, load ${load()}`,
  );
  print('at rest', await labelFor(queue, seconds * 1000));
  const { id } = await json('POST', '/api/runs', { preset: 'quick' });
  for (;;) {
    const { training } = await state();
    if (training?.phase === 'failed') throw new Error(training.error.message);
    if (training?.phase === 'training' && training.imagesPerSecond !== null) break;
    await sleep(200);
  }
  print('training', await labelFor(queue, seconds * 1000));
  const { training } = await state();
  console.log(
    `${id}: ${training.stageText}, ${Math.round(training.imagesPerSecond)} images/s, load ${load()}`,
  );
} finally {
  studio.kill('SIGINT');
  await new Promise((resolve) => studio.once('exit', resolve));
  await rm(folder, { recursive: true, force: true });
}

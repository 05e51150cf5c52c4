/**
 * `npm run nightly`: the tests that leave much to chance, as often as a night has time for: a hundred kills of runs that are
 * resumed and compared bit for bit, a thousand rounds of contenders for one lock, a hundred times the mutated inputs; and
 * what repeats at length what a shorter test shows.
 *
 * `npm run nightly -- kills locks` does these parts alone. Every part is done, also after one that failed; the exit status
 * is 1 if any did.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUpOrExit } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each with the number that its tests read from the environment. */
const parts = {
  kills: {
    variable: 'QUARTERTURN_KILL_ROUNDS',
    value: 100,
    what: 'random kills, each run resumed to its end',
  },
  locks: { variable: 'QUARTERTURN_LOCK_ROUNDS', value: 1000, what: 'rounds of six contenders for a lock' },
  long: { variable: 'QUARTERTURN_LONG_TESTS', value: 1, what: 'time the tests that npm test leaves out' },
  inputs: { variable: 'QUARTERTURN_FUZZ_RUNS', value: 100, what: 'times as many mutated inputs' },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(
    `nightly: expected some of ${Object.keys(parts).join(', ')}. Received: ${unknown.join(', ')}.`,
  );
  process.exit(2);
}
setUpOrExit();

/** Tests whose number comes from a variable: they read it, or a helper in test/support/ that does. */
function testsThatRead(variable) {
  const sources = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .map((file) => join(folder, file)),
  );
  const readers = sources.filter((file) => readFileSync(join(root, file), 'utf8').includes(variable));
  const helpers = readers
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => file.replace(/^.*[\\/]|\.ts$/g, ''));
  return sources.filter((file) => {
    if (!file.endsWith('.test.ts')) return false;
    const text = readFileSync(join(root, file), 'utf8');
    return text.includes(variable) || helpers.some((helper) => text.includes(`support/${helper}.js'`));
  });
}

let failed = 0;
for (const [name, { variable, value, what }] of Object.entries(parts)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const files = testsThatRead(variable);
  if (files.length === 0) {
    console.log(`FAILED ${name}: no test reads ${variable}`);
    failed++;
    continue;
  }
  const startMs = performance.now();
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, [variable]: String(process.env[variable] ?? value) },
  });
  const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
  const times = process.env[variable] ?? value;
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}: ${times} ${what} (${minutes} min)`);
  if (status !== 0) failed++;
}
process.exitCode = failed > 0 ? 1 : 0;

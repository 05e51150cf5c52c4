/** What the benches of the studio share: a studio of its own, asked as its page asks it, and figures beside what they have to be. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const failures = [];

/** A figure, and whether it is what it has to be. */
export function tell(what, value, isGood, unit = '') {
  if (!isGood) failures.push(what);
  console.log(
    `${isGood ? 'ok    ' : 'FAILED'} ${what}: ${typeof value === 'number' ? Math.round(value) : value}${unit}`,
  );
}

/**
 * Opens the page of a studio in a browser, does something in it, and ends both. Nothing of the person's is read or changed: labels,
 * settings and decoded images lie in a temporary folder.
 * @param work is given the page, its address, and a function that asks the server as the page does
 */
export async function withStudio(work) {
  const scratch = await mkdtemp(join(tmpdir(), 'quarterturn-bench-'));
  const { child, address } = await serve(scratch);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    // A camera that shows a test picture, which no person has to allow.
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  });
  try {
    const page = await browser.newPage({
      viewport: { width: 1280, height: 800 },
      permissions: ['camera', 'clipboard-read', 'clipboard-write'],
    });
    page.setDefaultTimeout(60_000);
    await work({ page, address, ask: asker(address) });
  } finally {
    await browser.close();
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('close', resolve));
    await rm(scratch, { recursive: true, force: true });
  }
  process.exitCode = failures.length > 0 ? 1 : 0;
}

async function serve(scratch) {
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: join(scratch, 'config'),
    XDG_DATA_HOME: join(scratch, 'data'),
  };
  const places = ['--project', join(scratch, 'project'), '--cache', join(scratch, 'cache')];
  const child = spawn(
    process.execPath,
    [join(root, 'bin/quarterturn.js'), 'studio', '--no-open', ...places],
    {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const text of child.stdout) return { child, address: String(text).trim() };
  throw new Error('the studio did not start');
}

/** Asks the server as the page does. */
function asker(address) {
  const { origin, hash } = new URL(address);
  const headers = { 'x-quarterturn-token': hash.replace('#token=', ''), 'content-type': 'application/json' };
  return async (path, json) => {
    const answer = await fetch(`${origin}${path}`, {
      headers,
      ...(json && { method: 'POST', body: JSON.stringify(json) }),
    });
    return answer.json();
  };
}

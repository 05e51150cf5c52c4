import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { root } from '../support/compile.js';
import { writePictures } from '../support/picture-folder.js';

let folder: string;
let child: ChildProcess;
let address: string;
let browser: Browser;
let context: BrowserContext;
const asked: string[] = [];
const complaints: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterturn-studio-'));
  await writePictures(join(folder, 'photos'), { counts: { bar: 30, corner: 20 } });
  await writeFile(join(folder, 'photos', 'bar', 'damaged.png'), 'no picture');
  const args = ['studio', 'photos', '--cache', 'cache'];
  child = spawn(process.execPath, [join(root, 'bin/quarterturn.js'), ...args], {
    cwd: folder,
    // Nothing of whoever runs the tests is read or changed.
    env: { ...process.env, XDG_CONFIG_HOME: join(folder, 'config') },
  });
  const printed = (async () => {
    for await (const text of child.stdout ?? []) return String(text).trim();
    throw new Error('no address');
  })();
  [address, browser] = await Promise.all([printed, launchChromium()]);
  context = await browser.newContext();
  context.on('request', (request) => asked.push(request.url()));
  context.on('console', (message) => complaints.push(message.text()));
});
afterAll(async () => {
  await browser?.close();
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

test('the page shows the pictures of a folder, asks nobody else, and Ctrl-C ends it', async () => {
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[0-9a-f]{32}$/);
  const { origin } = new URL(address);
  const page = await context.newPage();
  const images = page.getByRole('option', { name: /png/ });
  /** Widths of the pictures that stand in the page, once all are there. */
  const widths = async () => {
    await images.nth(49).waitFor();
    await page.waitForFunction(() => Array.from(document.images).every(({ complete }) => complete));
    return page.evaluate(() => Array.from(document.images, ({ naturalWidth }) => naturalWidth));
  };
  await page.goto(address);
  await page.getByText('50 of 50 labelled').waitFor();
  // All that a person can do by keys: the folders have labelled every image, and the grid shows them.
  await page.keyboard.press('Shift+L');
  await page.getByRole('combobox').selectOption('All (50)');
  await page.getByRole('combobox').blur();
  await page.keyboard.press('Shift+G');
  expect(await widths()).toEqual(Array.from({ length: 50 }, () => 32));
  expect(await images.first().getAttribute('aria-label')).toBe('bar/000.png, bar');
  expect(await page.title()).toBe('Label – photos');
  // The key is in no address that could be copied, and a tab keeps it.
  expect(page.url()).toBe(`${origin}/#/label?queue=all&view=grid`);
  await page.reload();
  expect(await widths()).toHaveLength(50);
  // By keyboard alone: three images become a class that is made for them, then all is as before.
  await images.first().click();
  for (const key of ['Shift+ArrowRight', 'Shift+ArrowRight', '/', 't', 'h', 'r', 'e', 'e', 'Enter']) {
    await page.keyboard.press(key);
  }
  await images.nth(2).getByText('three').waitFor();
  await page.getByRole('button', { name: 'Undo: labels' }).waitFor();
  await page.keyboard.press('Control+z');
  await images.nth(2).getByText('bar').waitFor();
  expect(await page.getByText('three', { exact: true }).count()).toBe(0);
  expect(asked.filter((url) => !url.startsWith(`${origin}/`))).toEqual([]);
  expect(complaints).toEqual([]);
  const other = await context.newPage();
  await other.goto(`${origin}/`);
  await other.getByText('Open the address that the command has printed.').waitFor();
  // One studio serves a project, and says where.
  const env = { XDG_CONFIG_HOME: join(folder, 'config') };
  const second = await cli(['studio', 'photos', '--no-open'], { cwd: folder, env });
  expect(second).toMatchObject({ code: 1, stdout: '' });
  expect(second.stderr).toContain(`at ${origin}`);
  expect(second.stderr).toContain(`Open ${address}`);
  // The folders named the classes.
  expect(await readFile(join(folder, 'photos', '.quarterturn', 'labels.jsonl'), 'utf8')).toContain(
    '"name":"corner"',
  );
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await page.getByText('The studio does not answer').waitFor();
});

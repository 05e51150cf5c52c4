/**
 * Measures the page of the studio in Chromium: `node bench/studio.mjs FOLDER` or `node bench/studio.mjs mnist`; with `--training`,
 * while a training runs on all cores.
 *
 * It serves the pictures to a browser, labels, scrolls, chooses and undoes as a person does, and prints each figure beside what it
 * has to be.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { tell, withStudio } from './studio-served.mjs';

const [source, ...flags] = process.argv.slice(2);
/** Whether a training is to run meanwhile. */
const isTraining = flags.includes('--training');
if (source === undefined) {
  console.error('bench: expected a folder of pictures, or mnist. Received: nothing.');
  process.exit(2);
}
const atShare = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];

/** The label of every image, as one text. */
async function allLabels(ask) {
  const labels = [];
  for (let from = 0, total = 1; from < total; from += 500) {
    const page = await ask(`/api/images?queue=all&count=500&from=${from}`);
    total = page.total;
    labels.push(...page.images.map(({ id, label }) => `${id} ${label}`));
  }
  return labels.join('\n');
}

const settle = (page) => page.getByText('Saved', { exact: true }).waitFor();

const focused = (page) => page.evaluate(() => document.activeElement?.textContent.trim() ?? '');

/** Tab keys alone until something of these words has the focus. */
async function tabTo(page, words) {
  for (let i = 0; i < 60; i++) {
    if ((await focused(page)).startsWith(words)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not come to: ${words}`);
}

/** Point 1: progress comes at once, and the page says what was read. */
async function importPictures(page, ask) {
  if (source === 'mnist') await tabTo(page, 'Open MNIST');
  else {
    await tabTo(page, 'Write down its path');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type(resolve(source));
  }
  const begunMs = performance.now();
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Pictures of the project' }).waitFor();
  tell('progress is shown', performance.now() - begunMs, performance.now() - begunMs < 1000, ' ms');
  await page.getByRole('link', { name: /labelling/ }).waitFor({ timeout: 600_000 });
  const { total } = await ask('/api/images?count=1');
  console.log(`       ${total} images are read in ${Math.round((performance.now() - begunMs) / 1000)} s`);
  return total;
}

/** In the page: from a key to the next image being painted. */
function watchNextImage() {
  const times = [];
  globalThis.nextImageMs = times;
  addEventListener(
    'keydown',
    (event) => {
      if (!/^[0-9]$/.test(event.key)) return;
      const before = document.querySelector('.picture-view')?.src;
      const look = () => {
        const image = document.querySelector('.picture-view');
        if (!image || image.src === before || !image.complete || image.naturalWidth === 0)
          return void requestAnimationFrame(look);
        // Painted with the frame that begins now.
        requestAnimationFrame(() => times.push(performance.now() - event.timeStamp));
      };
      requestAnimationFrame(look);
    },
    true,
  );
}

/** Point 2: a hundred labels by keys alone. */
async function labelByKeys(page, ask) {
  await tabTo(page, 'Label');
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'Which images' }).selectOption('unlabelled');
  await page.getByRole('combobox', { name: 'Which images' }).blur();
  await page.locator('.picture-view').waitFor();
  for (const name of ['first', 'second', 'third']) {
    await page.keyboard.press('/');
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
    await page.locator('.palette').getByText(name).waitFor();
  }
  if (isTraining) {
    await ask('/api/runs', { preset: 'quick' });
    await page.locator('.training').getByText('left').waitFor({ timeout: 600_000 });
  }
  await page.evaluate(watchNextImage);
  for (let i = 0; i < 100; i++) {
    await page.keyboard.press(String((i % 3) + 1));
    await page.waitForTimeout(120);
  }
  await page.waitForFunction(() => globalThis.nextImageMs.length === 100);
  const times = await page.evaluate(() => globalThis.nextImageMs);
  tell('from key to next image, median', atShare(times, 0.5), true, ' ms');
  tell('from key to next image, p95', atShare(times, 0.95), atShare(times, 0.95) < 100, ' ms');
  await settle(page);
  const { total } = await ask('/api/images?queue=labelled&count=1');
  tell('labels on the disk', total, total === 103);
}

/** In the page: what blocks it. */
function watchLongTasks() {
  globalThis.longTasksMs = [];
  new PerformanceObserver((list) => {
    globalThis.longTasksMs.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ type: 'longtask' });
}

/** In the page: whether each tile that is seen shows the picture itself. */
function allSharp() {
  const { top, bottom } = document.querySelector('.grid').getBoundingClientRect();
  const seen = [...document.querySelectorAll('.tile')].filter((tile) => {
    const box = tile.getBoundingClientRect();
    return box.bottom > top && box.top < bottom;
  });
  return seen.every((tile) => tile.querySelector('img')?.src.includes('/tile'));
}

async function openGrid(page) {
  await page.getByRole('combobox', { name: 'Which images' }).selectOption('all');
  await page.getByRole('button', { name: 'Grid' }).click();
  await page.locator('[data-index="0"] img').waitFor();
}

const scrollTop = (page) => page.locator('.grid').evaluate((grid) => grid.scrollTop);
const elements = (page) => page.evaluate(() => document.querySelectorAll('*').length);

/** Point 4: a grid of any length is quick, and stands still. */
async function scrollGrid(page, total) {
  await openGrid(page);
  await page.evaluate(watchLongTasks);
  await page.locator('[data-index="0"]').click();
  const endMs = await page.evaluate(async (last) => {
    const begunMs = performance.now();
    const key = new KeyboardEvent('keydown', { key: 'End', bubbles: true, cancelable: true });
    document.querySelector('.grid').dispatchEvent(key);
    for (;;) {
      await new Promise(requestAnimationFrame);
      const image = document.querySelector(`[data-index="${last}"] img`);
      if (image?.complete && image.naturalWidth > 0) return performance.now() - begunMs;
    }
  }, total - 1);
  tell('End shows the last row', endMs, endMs < 500, ' ms');
  const begunMs = performance.now();
  // Of an array there are no files that show more.
  const isSharp = source !== 'mnist' && (await page.waitForFunction(allSharp));
  if (isSharp) tell('pictures of that window are sharp after', performance.now() - begunMs, true, ' ms');
  tell('elements in the page', await elements(page), (await elements(page)) < 2000);
  // Labels where one has scrolled to leave the place as it is.
  const before = await scrollTop(page);
  for (const key of ['1', '2', 'Space', 'u', 'Control+z', 'Control+z']) {
    await page.keyboard.press(key);
    await page.waitForTimeout(100);
  }
  await settle(page);
  await page.waitForTimeout(500);
  tell(
    'labelling moves the grid',
    (await scrollTop(page)) - before,
    (await scrollTop(page)) === before,
    ' px',
  );
  for (let i = 0; i < 30; i++) {
    await page.locator('.grid').evaluate(
      (grid, to) => {
        grid.scrollTop = to * grid.scrollHeight;
      },
      ((i * 7) % 30) / 30,
    );
    await page.waitForTimeout(30);
  }
  const longest = await page.evaluate(() => Math.max(0, ...globalThis.longTasksMs));
  tell('longest task', longest, longest < 200, ' ms');
}

/** Point 5: 500 images are chosen over rows that were never shown, labelled in one event, and undone by one key. */
async function chooseMany(page, ask, total) {
  // Another list, of which only the first page was asked for.
  await page.reload();
  await openGrid(page);
  const many = Math.min(500, total);
  await page.locator('[data-index="0"]').click();
  const before = await allLabels(ask);
  const { seq } = await ask(`/api/images?queue=all&count=1`);
  await page.locator('.grid').evaluate((grid, index) => {
    const columns = Math.floor((grid.clientWidth + 6) / (104 + 6));
    grid.scrollTop = Math.floor(index / columns) * (grid.querySelector('.tile').offsetHeight + 6);
  }, many - 1);
  await page.locator(`[data-index="${many - 1}"]`).click({ modifiers: ['Shift'] });
  await page.getByText(`${many} images chosen`).waitFor();
  const begunMs = performance.now();
  await page.keyboard.press('3');
  await page.getByText(`${many} images: third`).waitFor();
  tell(`${many} images are labelled and saved`, performance.now() - begunMs, true, ' ms');
  const labelled = await allLabels(ask);
  const changed = labelled
    .split('\n')
    .slice(0, many)
    .every((line) => line.endsWith('c3'));
  const after = await ask('/api/images?queue=all&count=1');
  tell('all of them have it, by one event', `${after.seq - seq}`, changed && after.seq === seq + 1);
  await page.keyboard.press('Control+z');
  await page.waitForTimeout(300);
  await settle(page);
  tell('one undo: exactly as before', (await allLabels(ask)) === before, (await allLabels(ask)) === before);
}

/** Point 6: classes of a thousand labels are renamed, merged and deleted, and each is undone. */
async function changeClasses(page, ask, total) {
  const many = Math.min(1000, total);
  const ids = (await ask(`/api/image-ids?queue=all&count=${many}`)).ids;
  await ask('/api/labels', { type: 'label', labels: [{ class: 'c1', images: ids }] });
  const before = await allLabels(ask);
  await page.keyboard.press('Shift+C');
  const count = `${many.toLocaleString('en')} images`;
  await page.getByRole('link', { name: count }).waitFor();
  const undo = async () => {
    await page.keyboard.press('Control+z');
    await page.getByRole('link', { name: count }).waitFor();
    await page.locator('.class-row-name', { hasText: /^first$/ }).waitFor();
    return (await allLabels(ask)) === before;
  };
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Rename first' }).click();
  await page.keyboard.type('renamed');
  await dialog.getByText('No label changes.').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.class-row-name', { hasText: 'renamed' }).waitFor();
  tell('renamed, and undone', (await allLabels(ask)) === before, await undo());
  await page.getByRole('button', { name: 'Merge first' }).click();
  await dialog.getByRole('combobox').selectOption({ index: 1 });
  await dialog.getByText(`${many.toLocaleString('en')} labels move`).waitFor();
  await dialog.getByRole('button', { name: 'Merge' }).click();
  await page.locator('.class-row-name', { hasText: /^first$/ }).waitFor({ state: 'detached' });
  const merged = (await ask('/api/images?queue=class:c2&count=1')).total;
  tell(
    'merged: labels of the other class',
    merged,
    merged === many + Number(total > many ? countOf(before, 'c2') : 0),
  );
  tell('undone', true, await undo());
  await page.getByRole('button', { name: 'Delete first' }).click();
  await dialog.getByText(`${many.toLocaleString('en')} images lose`).waitFor();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.locator('.class-row-name', { hasText: /^first$/ }).waitFor({ state: 'detached' });
  tell('deleted, and undone', true, await undo());
}

const countOf = (labels, id) => labels.split('\n').filter((line) => line.endsWith(` ${id}`)).length;

/** Point 10: nothing serious on any screen, in light and dark. */
async function checkAccess(page) {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const screens = [
    'start',
    'label',
    'label?view=grid&queue=all',
    'classes',
    'train',
    'explore',
    'try',
    'export',
  ];
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const screen of screens) {
      await page.evaluate((to) => {
        location.hash = `#/${to}`;
      }, screen);
      await page.waitForTimeout(700);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      const said = serious.map(
        ({ id, nodes }) =>
          `${id} (${nodes
            .map(({ target }) => target)
            .slice(0, 3)
            .join('; ')})`,
      );
      tell(`axe on ${screen}, ${colorScheme}`, said.join(', ') || 'nothing serious', serious.length === 0);
    }
  }
}

await withStudio(async ({ page, address, ask }) => {
  const foreign = [];
  const faults = [];
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request.url())) foreign.push(request.url());
  });
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(address);
  const total = await importPictures(page, ask);
  await labelByKeys(page, ask);
  await scrollGrid(page, total);
  await chooseMany(page, ask, total);
  await changeClasses(page, ask, total);
  await checkAccess(page);
  tell('requests that are not loopback', foreign.length, foreign.length === 0);
  tell('complaints of the browser', faults.slice(0, 3).join(' | ') || 0, faults.length === 0);
});

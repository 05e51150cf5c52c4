/**
 * Trains in the studio and looks at what came of it, in Chromium: `node bench/studio-runs.mjs [FOLDER]`, a few minutes.
 *
 * The example's images, or those of a folder that has a folder for each of ten classes at most, a hundred of them labelled. While a quick
 * training of four minutes runs, the page is loaded anew, hidden and
 * shown, the training stopped and gone on with: its curves are to be those that the server has, without a gap. Then each cell of the
 * confusion matrix is to count its grid, before and after a label is mended there by keys alone, and after that is undone. Last, pictures
 * come from the camera, the clipboard and a drop, images of the map are encircled, and a folder is dropped.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tell, withStudio } from './studio-served.mjs';

const [source] = process.argv.slice(2);
/** Labels that are given, evenly over the first images. */
const labelCount = 100;
/** Points that may be on their way between server and page. */
const underWay = 4;

const until = async (isThere, what, seconds = 60) => {
  for (let left = seconds * 4; left > 0; left--) {
    const found = await isThere();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${what}: expected within ${seconds} s. Received: nothing.`);
};

/** Opens the images and labels some of them, evenly over all, a few of them wrongly, so that there is something to mend. */
async function labelSome(ask) {
  await ask('/api/pile', source === undefined ? { example: 'mnist' } : { path: resolve(source) });
  const total = await until(async () => (await ask('/api/images?count=1')).total, 'the images', 300);
  const { ids } = await ask(`/api/image-ids?queue=all&count=${total}`);
  const all = [];
  for (let from = 0; from < total; from += 500) {
    all.push(...(await ask(`/api/images?queue=all&from=${from}&count=500`)).images);
  }
  const classes = 1 + Math.max(...all.map(({ foundClass }) => foundClass));
  // The images of a folder for each class are labelled by that.
  await ask('/api/labels', { type: 'clear', images: ids });
  const newClasses = Array.from({ length: classes }, (_, k) => ({
    id: `c${k + 1}`,
    name: String(k),
    colour: '#0072b2',
    key: String(k),
  }));
  const chosen = Array.from({ length: labelCount }, (_, i) => all[Math.floor((i * total) / labelCount)]);
  const classOf = ({ foundClass }, i) => (i % 25 === 24 ? (foundClass + 1) % classes : foundClass);
  const labels = newClasses.map(({ id }, k) => ({
    class: id,
    images: chosen.filter((image, i) => classOf(image, i) === k).map((image) => image.id),
  }));
  const isNew = source === undefined;
  const { seq, error } = await ask('/api/labels', { type: 'label', ...(isNew && { newClasses }), labels });
  if (seq === undefined) throw new Error(`labels: ${error?.message}`);
}

/** Point 7: a training survives whatever happens to the page. */
async function watchTraining(page, ask) {
  const { id, error } = await ask('/api/runs', { preset: 'quick', budgetMinutes: 4 });
  if (id === undefined) throw new Error(`training: ${error?.message}`);
  const shown = async () => Number(await page.locator('.curves').getAttribute('data-points'));
  const told = async () => (await ask(`/api/runs/${id}/curve`)).points.length;
  const isSame = async () => {
    const [here, there] = [await shown(), await told()];
    return here > 0 && Math.abs(here - there) <= underWay && `${here} of ${there}`;
  };
  const tellSame = async (when) => tell(`points of the curves, ${when}`, await until(isSame, when), true);
  const setHidden = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);

  await page.locator('.curves').waitFor({ timeout: 120_000 });
  await tellSame('live');
  await page.reload();
  await page.locator('.curves').waitFor();
  await tellSame('after the page was loaded anew');
  await setHidden(true);
  await page.waitForTimeout(5000);
  await setHidden(false);
  await tellSame('after the tab was hidden');
  await page.getByRole('button', { name: 'Stop and save' }).click();
  await page.getByRole('button', { name: 'Go on' }).first().click();
  await page.locator('.now-training').waitFor();
  await tellSame('after it was stopped and gone on with');
  const run = await until(
    async () => (await ask('/api/runs')).runs.find((each) => each.id === id && each.state === 'done'),
    'the end of the training',
    900,
  );
  const { points } = await ask(`/api/runs/${id}/curve`);
  tell(
    'points without a gap',
    points.length,
    points.every(({ seq }, i) => seq === i),
  );
  return run;
}

/** Point 8: each cell counts its grid, also after a label was mended in it. */
async function mendLabel(page, ask, run) {
  const confusion = () =>
    until(async () => {
      const found = await ask(`/api/runs/${run.id}/confusion`);
      return found.pending ? undefined : found;
    }, 'what the classifier takes for what');
  const check = async (when) => {
    const { rows, columns, counts } = await confusion();
    let different = 0;
    for (const [i, row] of rows.entries()) {
      for (const [j, column] of columns.entries()) {
        const { total } = await ask(`/api/images?queue=confused:${run.id}:${row.id}:${column.id}&count=1`);
        if (total !== counts[i][j]) different++;
      }
    }
    tell(`cells that do not count their grid, ${when}`, different, different === 0);
    return { rows, columns, counts };
  };
  const { rows, columns, counts } = await check('at first');
  const wrong = rows.flatMap((row, i) =>
    columns.flatMap((column, j) => (row.id !== column.id && counts[i][j] > 0 ? [[i, j]] : [])),
  );
  const [i, j] = wrong[0];
  const [label, taken] = [rows[i].name, columns[j].name];
  const cellOf = (count) =>
    page.getByRole('button', {
      name: `${count} image${count === 1 ? '' : 's'} labelled ${label}, taken for ${taken}`,
    });

  await page.evaluate(() => {
    location.hash = '#/explore?view=confusion';
  });
  await cellOf(counts[i][j]).focus();
  await page.keyboard.press('Enter');
  const list = page.getByRole('listbox', { name: new RegExp(`labelled ${label}, taken for ${taken}`) });
  await list.focus();
  await page.keyboard.press('Home');
  // Classes of folders have their keys in their order, from 1.
  await page.keyboard.press(source === undefined ? taken : String((j + 1) % 10));
  await page.getByText('1 label changed since').waitFor();
  tell('a label mended by keys marks the training as old', true, true);
  await check('after one was mended');
  await page.keyboard.press('Control+z');
  await cellOf(counts[i][j]).waitFor();
  const undone = await check('after that was undone');
  tell('undone exactly', true, JSON.stringify(undone.counts) === JSON.stringify(counts));
}

/** Drops a file or a folder of this machine on a place of the page, as a person does. */
async function dropOn(page, path, { x, y }) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await session.send('Input.dispatchDragEvent', { type, x, y, data });
  }
}

/** Pictures from all ways in, and a lasso. */
async function tryInputs(page) {
  const show = (to) =>
    page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${to}`);
  await show('try');
  await page.getByRole('button', { name: 'The camera' }).click();
  await page.getByRole('button', { name: 'Take this picture' }).click();
  await page.locator('.answer').waitFor();
  tell('a picture of the camera is classified', true, true);
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(300, 200);
    canvas.getContext('2d').fillRect(50, 50, 100, 80);
    const picture = await canvas.convertToBlob();
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
  });
  await page.keyboard.press('Control+v');
  await page.getByText('300 × 200').waitFor();
  tell('a pasted picture is classified', true, true);
  await dropOn(page, fileURLToPath(new URL('../docs/studio/try.png', import.meta.url)), { x: 900, y: 600 });
  await page.getByText('1280 × 800').waitFor();
  tell('a dropped file is classified, wherever it is let go', true, true);

  await show('explore?view=map');
  const canvas = page.locator('.map canvas');
  await canvas.waitFor({ timeout: 300_000 });
  await page.waitForTimeout(500);
  const { x, y, width, height } = await canvas.boundingBox();
  const at = (across, down) => [x + across * width, y + down * height];
  await page.mouse.move(...at(0.05, 0.05));
  await page.mouse.down();
  for (const corner of [at(0.95, 0.05), at(0.95, 0.95), at(0.05, 0.95), at(0.05, 0.05)]) {
    await page.mouse.move(...corner, { steps: 10 });
  }
  await page.mouse.up();
  await page.getByText('Encircled').waitFor();
  tell('images of the map are encircled', true, true);

  await show('start');
  await page.getByRole('button', { name: 'Choose a folder' }).waitFor();
  await dropOn(page, fileURLToPath(new URL('../docs', import.meta.url)), { x: 600, y: 400 });
  await page.getByRole('dialog').getByText('“docs”').waitFor();
  tell('a dropped folder is looked for', true, true);
}

await withStudio(async ({ page, address, ask }) => {
  await labelSome(ask);
  await page.goto(address);
  await page.getByText('labelled').first().waitFor();
  await page.evaluate(() => {
    location.hash = '#/train';
  });
  const run = await watchTraining(page, ask);
  await mendLabel(page, ask, run);
  await tryInputs(page);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderReport } from '../../src/report/render-report.js';
import { launchChromium } from '../support/browser.js';
import { sampleRecord } from '../support/sample-record.js';

const record = sampleRecord();

describe('the report in a browser', () => {
  let folder: string;
  let address: string;
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quarterturn-report-'));
    const file = join(folder, 'report.html');
    await writeFile(file, renderReport(record));
    address = pathToFileURL(file).href;
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) requests.push(request.url());
    });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(address, { waitUntil: 'load' });
  });

  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('opens without a complaint and asks for nothing but itself', () => {
    expect(complaints).toEqual([]);
    expect(requests).toEqual([address]);
  });

  test('draws every curve through all of its points', async () => {
    // A curve is a path without a fill in the clipped group; the one of a lone marker has a single point and no length.
    const charts = await page.$$eval('.chart svg', (drawings) =>
      drawings.map((svg) => {
        const curves = [...svg.querySelectorAll<SVGPathElement>('g[clip-path] path[fill="none"]')];
        const box = svg.getBoundingClientRect();
        return {
          label: svg.parentElement?.getAttribute('aria-label') ?? '',
          width: box.width,
          height: box.height,
          curves: curves
            .filter((path) => path.getTotalLength() > 0)
            .map((path) => ({
              points: (path.getAttribute('d') ?? '').match(/[MLC]/g)?.length ?? 0,
              width: path.getBBox().width,
              height: path.getBBox().height,
              stroke: getComputedStyle(path).stroke,
            })),
        };
      }),
    );
    // The reliability diagram, whose bars are the intervals of its ranges, then the curves.
    const [reliability, ...curved] = charts;
    expect(reliability?.label).toMatch(/^Share of right answers by confidence/);
    expect(reliability?.curves.length).toBeGreaterThan(1);
    expect(curved).toHaveLength(9);
    expect(curved.map(({ curves }) => curves.map(({ points }) => points))).toEqual([
      [20, 20],
      [20, 20],
      [20],
      [20],
      [8, 8],
      [8],
      [10],
      [10],
      [21],
    ]);
    for (const chart of curved) {
      expect(chart.label).not.toBe('');
      expect(chart.width).toBeGreaterThan(300);
      expect(chart.height).toBeGreaterThan(180);
      for (const curve of chart.curves) {
        expect(curve.width).toBeGreaterThan(200);
        expect(curve.height).toBeGreaterThan(15);
        // A CSS variable that is not defined would compute to none.
        expect(curve.stroke).toMatch(/^rgb/);
      }
    }
  });

  test('crosses out exactly the wrong predictions', async () => {
    const tiles = record.exhibits.grids.flatMap((grid) => grid.tiles);
    expect(await page.locator('.tile').count()).toBe(tiles.length);
    expect(await page.locator('.cross').count()).toBe(tiles.filter((tile) => tile.wrong).length);
    const crossed = await page.$$eval('.tile:has(.cross) > span', (captions) =>
      captions.map((caption) => caption.textContent),
    );
    expect(crossed).toEqual(tiles.filter((tile) => tile.wrong).map((tile) => tile.caption));
    const cross = await page.locator('.cross').first().boundingBox();
    expect(cross?.width).toBeGreaterThan(40);
  });

  test('decodes every image to the pixels of its tile', async () => {
    const sizes = await page.$$eval('img', (images) =>
      images.map(
        (image) => `${(image as HTMLImageElement).naturalWidth}x${(image as HTMLImageElement).naturalHeight}`,
      ),
    );
    expect(sizes).toHaveLength(4 + 16 + 36 + 64 + 64);
    expect(new Set(sizes)).toEqual(new Set(['28x28']));

    const tile = record.exhibits.grids[1]!.tiles[5]!;
    const drawn = await page.evaluate(async () => {
      const image = document.querySelectorAll('.grid')[1]!.querySelectorAll('img')[5]!;
      const canvas = new OffscreenCanvas(28, 28).getContext('2d')!;
      canvas.drawImage(image, 0, 0);
      return [...canvas.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 1);
    });
    expect(drawn).toEqual([...Buffer.from(tile.pixels, 'base64')]);
  });

  test('fits a phone and darkens with the system', async () => {
    const phone = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await phone.goto(address);
    expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    const paper = await phone.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(paper).toBe('rgb(17, 19, 23)');
    await phone.close();
  });

  test('prints with its folded parts open', async () => {
    const height = () =>
      page.locator('table.layers').evaluate((table) => table.getBoundingClientRect().height);
    const visible = () => page.locator('table.layers').evaluate((table) => table.checkVisibility());
    expect(await visible()).toBe(false);
    await page.emulateMedia({ media: 'print' });
    expect(await visible()).toBe(true);
    expect(await height()).toBeGreaterThan(300);
    await page.emulateMedia({ media: null });
  });
});

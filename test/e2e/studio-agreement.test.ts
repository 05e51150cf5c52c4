import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import * as ort from 'onnxruntime-web';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportClassifier } from '../../src/model/export-model.js';
import type { TryAnswer } from '../../src/studio/server/tries/try-messages.js';
import { launchChromium } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { root } from '../support/compile.js';
import { byNight } from '../support/nightly.js';
import { writePictures } from '../support/picture-folder.js';
import { sampleClasses, sampleClassifier } from '../support/sample-classifier.js';

/** Pictures as they come: turned by EXIF data, transparent in part, grey, of any proportions, format and size. */
async function picture(
  n: number,
): Promise<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }> {
  const [width, height] = [20 + ((n * 37) % 180), 20 + ((n * 53) % 140)];
  const alpha = n % 3 === 0 ? 0.5 : 1;
  const spot = { r: (n * 71) % 256, g: (n * 113) % 256, b: (n * 29) % 256, alpha };
  const base = sharp({ create: { width, height, channels: 4, background: { ...spot, r: 255 - spot.r } } });
  const part = { width: Math.ceil(width / 2), height: Math.ceil(height / 3), channels: 4 } as const;
  const drawn = await base
    .composite([{ input: { create: { ...part, background: spot } }, left: n % 9, top: n % 7 }])
    .png()
    .toBuffer();
  const made: readonly (readonly [string, (image: Sharp) => Sharp])[] = [
    ['png', (image) => image.png()],
    [
      'jpg',
      (image) =>
        image
          .flatten()
          .withMetadata({ orientation: 1 + (n % 8) })
          .jpeg(),
    ],
    ['webp', (image) => image.webp({ lossless: true })],
    ['png', (image) => image.greyscale().png()],
    ['tif', (image) => image.flatten().tiff()],
  ];
  const [ending = 'png', make = (image: Sharp) => image] = made[n % made.length] ?? [];
  return { name: `${n}.${ending}`, bytes: Uint8Array.from(await make(sharp(drawn)).toBuffer()) };
}

/** Pictures that are tried: by night as many as the studio is to be shown with. */
const count = byNight ? 50 : 5;

describe('a picture that is tried', () => {
  let folder: string;
  let child: ChildProcess;
  let address: URL;
  const model = () => join(folder, 'photos/.quarterturn/runs/one/models/classifier.onnx');
  beforeAll(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-agreement-'));
    await writePictures(join(folder, 'photos'), { counts: { bar: 6, corner: 6 } });
    const { network, weights } = sampleClassifier('compact', [32, 32, 3]);
    await fs.mkdir(join(model(), '..'), { recursive: true });
    await fs.writeFile(model(), exportClassifier({ network, weights, classNames: sampleClasses }));
    const args = ['studio', 'photos', '--cache', 'cache', '--no-open'];
    child = spawn(process.execPath, [join(root, 'bin/quarterturn.js'), ...args], {
      cwd: folder,
      env: { ...process.env, XDG_CONFIG_HOME: join(folder, 'config') },
    });
    for await (const text of child.stdout ?? []) {
      address = new URL(String(text).trim());
      break;
    }
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await fs.rm(folder, { recursive: true, force: true });
  });
  const ask = (path: string, bytes?: Uint8Array<ArrayBuffer>) =>
    fetch(new URL(path, address), {
      headers: { 'x-quarterturn-token': address.hash.replace('#token=', '') },
      ...(bytes && { method: 'POST', body: bytes }),
    });
  const isReady = async () => (await ask('/api/images')).status === 200;

  test('gets the same from the page, the command line and the exported file in another runtime', async () => {
    while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 100));
    const pictures = await Promise.all(Array.from({ length: count }, (_, n) => picture(n)));
    await fs.mkdir(join(folder, 'others'));
    for (const { name, bytes } of pictures) await fs.writeFile(join(folder, 'others', name), bytes);
    const files = pictures.map(({ name }) => `others/${name}`);
    const { stdout } = await cli(['predict', model(), ...files, '--json'], { cwd: folder });
    const rows = JSON.parse(stdout) as { probabilities: Record<string, number> }[];
    expect(rows).toHaveLength(count);
    const exported = new Uint8Array(await (await ask('/api/exports/model.onnx')).arrayBuffer());
    const session = await ort.InferenceSession.create(exported);
    for (const [n, { name, bytes }] of pictures.entries()) {
      const answer = (await (await ask(`/api/tries?name=${name}`, bytes)).json()) as TryAnswer;
      const seen = await sharp(await (await ask(answer.seen)).arrayBuffer())
        .removeAlpha()
        .raw()
        .toBuffer();
      const images = new ort.Tensor('uint8', new Uint8Array(seen), [1, 32, 32, 3]);
      const output = await session.run({ [session.inputNames[0] ?? '']: images });
      const web = output[session.outputNames[0] ?? '']?.data as Float32Array;
      for (const [k, of] of sampleClasses.entries()) {
        const tried = answer.probabilities.find((each) => each.class === of)?.probability ?? Number.NaN;
        const differences = [
          tried - (rows[n]?.probabilities[of] ?? Number.NaN),
          tried - (web[k] ?? Number.NaN),
        ];
        for (const difference of differences)
          expect(Math.abs(difference), `${name}, ${of}`).toBeLessThan(1e-4);
      }
    }
    await session.release();
  }, 120_000);

  test('shows what is said of it, and no screen of it keeps anybody out', async () => {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage({ reducedMotion: 'reduce' });
      await page.goto(address.href);
      await page.getByText('12 of 12 labelled').waitFor();
      for (const [name, title] of [
        ['train', 'Train'],
        ['export', 'Export'],
        ['try', 'Try a picture'],
      ]) {
        await page.evaluate((hash) => {
          location.hash = hash;
        }, `#/${name}`);
        await page.getByRole('heading', { name: title, exact: true }).waitFor();
        if (name === 'try') {
          await page.getByLabel('Picture to try').setInputFiles(join(folder, 'photos/bar/001.png'));
          await page.getByRole('option').first().waitFor();
          expect(await page.getByRole('row').count()).toBe(sampleClasses.length);
        }
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() =>
          (globalThis as unknown as { axe: typeof axe }).axe.run(),
        );
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(
          serious.map(({ id, nodes }) => [id, nodes[0]?.html]),
          name,
        ).toEqual([]);
      }
    } finally {
      await browser.close();
    }
  }, 120_000);
});

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportClassifier } from '../../src/model/export-model.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { DeviceName } from '../../src/runtime/runtime.js';
import { launchChromium } from '../support/browser.js';
import { type CompiledFolder, compile, root } from '../support/compile.js';
import { composedAnswers, composedNetworks } from '../support/composed.js';
import { exampleOf } from '../support/documents.js';
import { byNight } from '../support/nightly.js';
import { expectClose } from '../support/numeric.js';
import { trainOwnNetwork } from '../support/own-network.js';
import {
  sampleBackbones,
  sampleClasses,
  sampleClassifier,
  sampleCounts,
  sampleImages,
  sampleSizes,
} from '../support/sample-classifier.js';
import { type StaticServer, serve } from '../support/serve.js';
import { trainingProbabilities } from '../support/training-forward.js';
import type { WebReport } from '../support/web-page.js';

/** No bundler: the packages' own ES modules, found by name as a page would map them. */
const page = `<!doctype html>
<title>Quarterturn in a browser</title>
<script>
  // What every bundler fills in for the library of charts.
  globalThis.process = { env: { NODE_ENV: 'production' } };
</script>
<script type="importmap">
{
  "imports": {
    "onnxruntime-web/webgpu": "/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
    "@bufbuild/protobuf/wire": "/node_modules/@bufbuild/protobuf/dist/esm/wire/index.js",
    "zod": "/node_modules/zod/index.js",
    "echarts/charts": "/node_modules/echarts/charts.js",
    "echarts/components": "/node_modules/echarts/components.js",
    "echarts/core": "/node_modules/echarts/core.js",
    "echarts/renderers": "/node_modules/echarts/renderers.js",
    "zrender/": "/node_modules/zrender/",
    "tslib": "/node_modules/tslib/tslib.es6.js",
    "quarterturn": "/src/index.js",
    "quarterturn/web": "/src/web.js"
  }
}
</script>
<script type="module">
  import * as page from '/test/support/web-page.js';
  // vitest would rewrite an import() that stands in the test.
  Object.assign(globalThis, page, { load: (path) => import(path) });
</script>`;

/** What the page's module leaves for the test to call. */
type PageGlobals = typeof globalThis & typeof import('../support/web-page.js');

describe('in a browser', () => {
  let compiled: CompiledFolder;
  let server: StaticServer;
  beforeAll(async () => {
    compiled = await compile(['test/support/web-page.ts', 'src/index.ts', 'src/web.ts']);
    server = await serve(page, [compiled.path, root]);
  });
  afterAll(async () => {
    await server?.close();
    await compiled?.remove();
  });

  async function openPage(browser: Browser, requests: string[]): Promise<Page> {
    const tab = await browser.newPage();
    tab.on('request', (request) => requests.push(request.url()));
    await tab.goto(server.origin, { waitUntil: 'load' });
    return tab;
  }

  const trainOneStep = (tab: Page, device: DeviceName): Promise<WebReport> =>
    tab.evaluate((device) => (globalThis as PageGlobals).trainOneStep(device), device);

  describe('without WebGPU', () => {
    let browser: Browser;
    let tab: Page;
    const requests: string[] = [];
    beforeAll(async () => {
      browser = await launchChromium();
      tab = await openPage(browser, requests);
    });
    afterAll(() => browser?.close());

    test('a whole RotNet step on wasm equals PyTorch’s, also into given buffers', async () => {
      expect(await trainOneStep(tab, 'wasm')).toEqual({
        version: expect.stringMatching(/^onnxruntime-web 1\.\d+\.\d+/),
        differences: [],
      });
    });

    test('a network of one’s own learns on wasm as in Node, and so does its file', async () => {
      const here = await trainOwnNetwork(await createNodeRuntime({ device: 'cpu', threads: 1 }));
      const there = await tab.evaluate(() => (globalThis as PageGlobals).trainOwn('wasm'));
      expect(here.losses.at(-1)).toBeLessThan(0.5 * here.losses[0]!);
      expectClose(there.losses, here.losses, { absolute: 1e-3 }, 'losses');
      expectClose(there.answers, here.answers, { absolute: 1e-2 }, 'answers');
    });

    test('asks nothing of any other host', () => {
      expect(requests.filter((url) => !url.startsWith(server.origin) && !/^(blob|data):/.test(url))).toEqual(
        [],
      );
      expect(requests.filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
    });

    describe.each(sampleBackbones)('an exported %s', (backbone) => {
      test.each(sampleSizes)('%i×%i×%i, 1, 3 and 128 at once: as in training', async (...size) => {
        const answers = await tab.evaluate(
          (given) => (globalThis as PageGlobals).classifySamples('wasm', ...given),
          [backbone, size, sampleCounts] as const,
        );
        const cpu = await createNodeRuntime({ device: 'cpu', threads: 1 });
        const expected = await trainingProbabilities(
          cpu,
          sampleClassifier(backbone, size),
          size,
          sampleImages(Math.max(...sampleCounts), size),
        );
        sampleCounts.forEach((count, i) => {
          const rows = expected.subarray(0, count * sampleClasses.length);
          expectClose(answers[i]!, rows, { absolute: 1e-5 }, `probabilities of ${count}`);
        });
      });
    });

    test.each(composedNetworks.map(({ what }, network) => ({ what, network })))(
      'a head on $what, in one file: as in Node',
      async ({ network }) => {
        const answers = await tab.evaluate(
          (given) => (globalThis as PageGlobals).classifyComposed('wasm', ...given),
          [network, sampleCounts] as const,
        );
        const cpu = await createNodeRuntime({ device: 'cpu', threads: 1 });
        const expected = await composedAnswers(cpu, network, sampleCounts);
        sampleCounts.forEach((count, i) => {
          expectClose(answers[i] ?? [], expected[i] ?? [], { absolute: 1e-4 }, `probabilities of ${count}`);
        });
      },
    );

    test('the example of docs/model-file.md classifies what is on a canvas', async () => {
      const size = [28, 28, 1] as const;
      const given = sampleClassifier('compact', size);
      const example = exampleOf(readFileSync(join(root, 'docs/model-file.md'), 'utf8'), 'js');
      await writeFile(join(compiled.path, 'example.js'), `${example}\nexport { probabilities };`);
      const model = exportClassifier({ ...given, classNames: sampleClasses });
      await writeFile(join(compiled.path, 'model.onnx'), model);
      const images = sampleImages(32, size);
      const said = await tab.evaluate(
        async (pixels) => {
          const canvas = Object.assign(document.createElement('canvas'), { width: 28, height: 28 });
          const context = canvas.getContext('2d');
          const rgba = Uint8ClampedArray.from({ length: 4 * pixels.length }, (_, i) =>
            i % 4 === 3 ? 255 : (pixels[i >> 2] ?? 0),
          );
          context?.putImageData(new ImageData(rgba, 28, 28), 0, 0);
          Object.assign(globalThis, { canvas });
          const { load } = globalThis as unknown as {
            load(path: string): Promise<{ probabilities: Float32Array }>;
          };
          return [...(await load('/example.js')).probabilities];
        },
        [...images.data.subarray(0, 28 * 28)],
      );
      const cpu = await createNodeRuntime({ device: 'cpu', threads: 1 });
      const expected = await trainingProbabilities(cpu, given, size, images);
      expectClose(said, expected.slice(0, sampleClasses.length), { absolute: 1e-5 }, 'probabilities');
    });

    test('webgpu without an adapter: a clear error', async () => {
      expect((await trainOneStep(tab, 'webgpu')).refused).toEqual({
        code: 'usage',
        message: 'device: expected one that is there (wasm). Received: webgpu.',
        hint: 'This browser offers no WebGPU adapter. Use wasm.',
      });
    });

    test('cpu: a clear error', async () => {
      expect((await trainOneStep(tab, 'cpu')).refused).toEqual({
        code: 'usage',
        message: 'device: expected wasm or webgpu. Received: cpu.',
        hint: 'cpu is for Node; in a browser use wasm.',
      });
    });
  });

  // In Node it is shown by test/conformance/webgpu.test.ts.
  test.runIf(byNight)(
    'a whole RotNet step on webgpu equals PyTorch’s, where Chromium offers an adapter',
    async ({ skip }) => {
      const browser = await launchChromium([
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        '--enable-features=Vulkan',
      ]);
      try {
        const tab = await openPage(browser, []);
        const hasAdapter = await tab.evaluate(async () => {
          const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
          return Boolean(await gpu?.requestAdapter());
        });
        skip(!hasAdapter, 'this Chromium has no WebGPU adapter, not even its software one');
        expect((await trainOneStep(tab, 'webgpu')).differences).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );
});

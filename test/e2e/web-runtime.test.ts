import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { DeviceName } from '../../src/runtime/runtime.js';
import { launchChromium } from '../support/browser.js';
import { type CompiledFolder, compile, root } from '../support/compile.js';
import { composedAnswers, composedNetworks } from '../support/composed.js';
import { expectClose } from '../support/numeric.js';
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
<script type="importmap">
{
  "imports": {
    "onnxruntime-web/webgpu": "/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
    "@bufbuild/protobuf/wire": "/node_modules/@bufbuild/protobuf/dist/esm/wire/index.js",
    "zod": "/node_modules/zod/index.js"
  }
}
</script>
<script type="module">
  import * as page from '/test/support/web-page.js';
  Object.assign(globalThis, page);
</script>`;

/** What the page's module leaves for the test to call. */
type PageGlobals = typeof globalThis & typeof import('../support/web-page.js');

describe('in a browser', () => {
  let compiled: CompiledFolder;
  let server: StaticServer;
  beforeAll(async () => {
    compiled = await compile(['test/support/web-page.ts']);
    server = await serve(page, [compiled.path, root]);
  }, 60_000);
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
    }, 60_000);
    afterAll(() => browser?.close());

    test('a whole RotNet step on wasm equals PyTorch’s, also into given buffers', async () => {
      expect(await trainOneStep(tab, 'wasm')).toEqual({
        version: expect.stringMatching(/^onnxruntime-web 1\.\d+\.\d+/),
        differences: [],
      });
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

  test('a whole RotNet step on webgpu equals PyTorch’s, where Chromium offers an adapter', async ({
    skip,
  }) => {
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
  });
});

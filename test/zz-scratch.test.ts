import { test } from 'vitest';
import { createNodeRuntime } from '../src/runtime/node.js';
import { caseGraph, caseInputs, expectLowered, settings } from './support/lowering/case.js';
import { generalCases } from './support/lowering/general-cases.js';
import { imageCases } from './support/lowering/image-cases.js';
test('x', async () => {
  const r = await createNodeRuntime({ device: 'webgpu', threads: 2 });
  let n=0, bad=0;
  for (const s of settings) {
  const t = performance.now();
  for (const c of [...generalCases, ...imageCases]) {
    n++;
    try { await expectLowered(r, caseGraph(c, s), caseInputs(c)); } catch (e) { bad++; console.log('BAD', s, c.op, c.what, String(e).slice(0, 300)); }
  }
  console.log('ms', s, performance.now()-t, n, bad, process.memoryUsage().rss/1e6);
  }
}, 600000);

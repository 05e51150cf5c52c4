import { expect, test } from 'vitest';
import { createImportEta } from './import-eta.node.js';

const total = 60_000;

test('images that are in the cache have no ETA, those that are decoded one by their own speed', () => {
  let ms = 3000; // it took that long to list them
  const etaOf = createImportEta(() => ms);
  const at = (done: number, decoded: number) => etaOf({ done, decoded, total, setAside: 0 });
  expect(at(100, 0)).toBeUndefined();
  ms += 100;
  expect(at(10_000, 0)).toBeUndefined();
  // 1,500 images a second.
  ms += 100;
  expect(at(10_150, 150)).toBeCloseTo((total - 10_150) / 1.5, 6);
  ms += 100;
  expect(at(10_300, 300)).toBeCloseTo((total - 10_300) / 1.5, 6);
  // Mostly cached again, then decoded: the speed is that of what was decoded.
  ms += 100;
  expect(at(20_000, 310)).toBeUndefined();
  ms += 100;
  expect(at(20_150, 460)).toBeCloseTo((total - 20_150) / 1.5, 6);
});

test('an import that decodes all has an ETA from its second report on', () => {
  let ms = 0;
  const etaOf = createImportEta(() => ms);
  expect(etaOf({ done: 64, decoded: 64, total, setAside: 0 })).toBeUndefined();
  ms += 1000;
  expect(etaOf({ done: 1064, decoded: 1064, total, setAside: 0 })).toBeCloseTo(total - 1064, 6);
});

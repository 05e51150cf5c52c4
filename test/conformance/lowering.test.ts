import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { allOps } from '../../src/graph/ops/index.js';
import { loweringRules } from '../../src/lower/lower.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import { allCases } from '../support/lowering/all-cases.js';
import { differences, settings, trialOf } from '../support/lowering/case.js';
import { recipes, trialFrom } from '../support/lowering/random-graphs.js';

describe('lowered graphs agree with the float64 interpreter on the CPU', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });

  describe.each(settings)('%s', (setting) => {
    test.each(allCases)('$op: $what', async (row) => {
      expect(await differences(runtime, trialOf([row], setting))).toEqual([]);
    });
  });

  test('all cases in one graph', async () => {
    expect(await differences(runtime, trialOf(allCases, 'maps'))).toEqual([]);
  });

  test('random graphs', async () => {
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        expect(await differences(runtime, trialFrom(recipe), { relative: 1e-4, absolute: 1e-4 })).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the table', () => {
  test('every op has cases, and they hold it', () => {
    for (const { name } of allOps) {
      const own = allCases.filter(({ op }) => op === name);
      expect(own.length, name).toBeGreaterThan(0);
      for (const row of own) {
        expect(trialOf([row], 'forward').graph.nodes.map((node) => node.op.name)).toContain(name);
      }
    }
  });

  test('every op has a lowering rule, and every rule an op', () => {
    expect(Object.keys(loweringRules).sort()).toEqual(allOps.map(({ name }) => name).sort());
  });

  test('no two cases share a name', () => {
    const names = allCases.map(({ op, what }) => `${op}, ${what}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

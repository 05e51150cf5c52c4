import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allOps } from '../../src/graph/ops/index.js';
import { loweringRules } from '../../src/lower/lower.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import { caseGraph, caseInputs, expectLowered, settings } from '../support/lowering/case.js';
import { generalCases } from '../support/lowering/general-cases.js';
import { imageCases } from '../support/lowering/image-cases.js';

const cases = [...generalCases, ...imageCases];

describe('lowered graphs agree with the float64 interpreter on the CPU', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });

  describe.each(settings)('%s', (setting) => {
    test.each(cases)('$op: $what', async (row) => {
      await expectLowered(runtime, caseGraph(row, setting), caseInputs(row));
    });
  });

  test('every op has cases, and they hold it', () => {
    for (const { name } of allOps) {
      const own = cases.filter(({ op }) => op === name);
      expect(own.length, name).toBeGreaterThan(0);
      for (const row of own) {
        expect(caseGraph(row, 'forward').nodes.map((node) => node.op.name)).toContain(name);
      }
    }
  });

  test('every op has a lowering rule, and every rule an op', () => {
    expect(Object.keys(loweringRules).sort()).toEqual(allOps.map(({ name }) => name).sort());
  });
});

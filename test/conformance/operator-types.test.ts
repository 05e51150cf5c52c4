import { describe, expect, test } from 'vitest';
import { workOf } from '../../src/lower/cost.js';
import { lowerTraced } from '../../src/lower/lower.js';
import { allCases } from '../support/lowering/all-cases.js';
import { settings, trialOf } from '../support/lowering/case.js';

/**
 * Costs rest on the types of all tensors of a lowered graph. They are worked out operator by operator, by ONNX's rules;
 * where they end, the semantic graph's own shape rules say what must come out.
 */
describe.each(['cpu', 'webgpu', 'anywhere'] as const)(
  'types of the operators that lowering emits for %s',
  (target) => {
    test.each(settings)('all cases, %s', (setting) => {
      const { model, types } = lowerTraced(trialOf(allCases, setting).graph, target);
      for (const { name, dtype, shape } of model.outputs) {
        const found = types.get(name)!;
        expect([found.dtype, ...found.shape], name).toEqual([dtype, ...shape]);
      }
      for (const node of model.nodes) {
        const { flops, bytes } = workOf(node, types);
        expect(Number.isInteger(flops) && flops >= 0, `${node.name}: ${flops} FLOP`).toBe(true);
        expect(Number.isInteger(bytes) && bytes >= 0, `${node.name}: ${bytes} bytes`).toBe(true);
      }
    });
  },
);

import { constant } from '../../../src/graph/graph.js';
import { concat, slice } from '../../../src/graph/ops/parts.js';
import type { Shape } from '../../../src/tensor/tensor.js';
import { randomTensor } from '../numeric.js';
import type { LoweringCase } from './case.js';

/** Cases of the ops that take values apart and put them together. */

let seed = 900;
const uniform = (...shape: number[]) => randomTensor(seed++, shape);

const map: Shape = [2, 3, 4, 5];

export const partCases: readonly LoweringCase[] = [
  ...[0, 1, 2, 3].map(
    (axis): LoweringCase => ({
      op: 'slice',
      what: `a map and a matrix along axis ${axis}`,
      inputs: [uniform(...map), uniform(4, 6)],
      build: (x, matrix) => [
        slice(x!, { axis, from: 0, to: 1 }),
        slice(x!, { axis, from: 1, to: map[axis]! }),
        slice(x!, { axis, from: 0, to: map[axis]! }),
        slice(matrix!, { axis: axis % 2, from: 1, to: 3 }),
      ],
    }),
  ),
  ...[0, 1, 2, 3].map(
    (axis): LoweringCase => ({
      op: 'concat',
      what: `maps along axis ${axis}, a constant between them`,
      inputs: [uniform(...map), uniform(...map.with(axis, 1))],
      build: (x, thin) => [
        concat([x!, thin!], axis),
        concat([thin!, constant(uniform(...map.with(axis, 2))), x!], axis),
        concat([x!], axis),
      ],
    }),
  ),
];

import type { One, Value } from '../graph/graph.js';
import type { SliceAttributes } from '../graph/ops/parts.js';
import { int } from '../onnx/model.js';
import type { LoweringRule } from './lowering.js';

const slice: LoweringRule<SliceAttributes, One> = (
  lowering,
  { inputs: [x], outputs: [y], attributes: { axis, from, to } },
) => lowering.set(y, lowering.emit.slice(lowering.plain(x), [axis], [from], [to]));

const concat: LoweringRule<{ readonly axis: number }, readonly Value[]> = (
  lowering,
  { inputs, outputs: [y], attributes: { axis } },
) => {
  const parts = inputs.map((part) => lowering.plain(part));
  lowering.set(y, lowering.emit.node('Concat', parts, { axis: int(axis) }));
};

export const partRules = { slice, concat };

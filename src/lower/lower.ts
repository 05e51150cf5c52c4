import { QuarterturnError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { OnnxModel } from '../onnx/model.js';
import { arithmeticRules } from './arithmetic.js';
import { convRules } from './conv.js';
import { Emitter } from './emitter.js';
import { Lowering, type LoweringRule, type Target } from './lowering.js';
import { normalizeRules } from './normalize.js';
import { poolRules } from './pool.js';

/** How each semantic op becomes ONNX operators. */
export const loweringRules: Readonly<Record<string, LoweringRule | undefined>> = {
  ...arithmeticRules,
  ...convRules,
  ...normalizeRules,
  ...poolRules,
} as Readonly<Record<string, LoweringRule>>;

export interface LowerOptions {
  /** Free text kept in the file, e.g. class names. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name of the graph in the file. */
  readonly name?: string;
}

/**
 * Rewrite a semantic graph into ONNX operators for a device. Mathematics does not change here, only speed: the result
 * is checked against the float64 interpreter of the same graph.
 */
export function lower(
  graph: Graph,
  target: Target,
  { name = 'quarterturn', metadata = {} }: LowerOptions = {},
): OnnxModel {
  const emitter = new Emitter();
  const lowering = new Lowering(emitter, target, graph);
  for (const node of graph.nodes) {
    const rule = loweringRules[node.op.name];
    if (!rule)
      throw new QuarterturnError(
        'runtime',
        `lower: expected a lowering rule. Received: op "${node.op.name}".`,
      );
    // A rule may have taken the next node along (BatchNorm its ReLU).
    if (node.outputs.every((value) => lowering.has(value))) continue;
    emitter.scope = node.scope;
    rule(lowering, node);
  }
  emitter.scope = '';
  const info = ([name, { dtype, shape }]: [string, Graph['inputs'][string]]) => ({ name, dtype, shape });
  const outputs = Object.entries(graph.outputs).map((entry) => ({
    ...info(entry),
    from: lowering.plain(entry[1]),
  }));
  return emitter.finish(name, Object.entries(graph.inputs).map(info), outputs, metadata);
}

import { QuarterturnError } from '../errors.js';
import type { Graph, Node } from '../graph/graph.js';
import type { OnnxModel } from '../onnx/model.js';
import { arithmeticRules } from './arithmetic.js';
import { convRules } from './conv.js';
import { Emitter, type TypedModel } from './emitter.js';
import { Lowering, type Target } from './lowering.js';
import { normalizeRules } from './normalize.js';
import { partRules } from './parts.js';
import { poolRules } from './pool.js';

/** A rule for nodes of whatever op. A method, so that one table can hold rules for ops of every kind. */
type AnyRule = { rule(lowering: Lowering, node: Node): void }['rule'];

/** How each semantic op becomes ONNX operators. */
export const loweringRules: Readonly<Record<string, AnyRule | undefined>> = {
  ...arithmeticRules,
  ...convRules,
  ...normalizeRules,
  ...partRules,
  ...poolRules,
};

export interface LowerOptions {
  /** Free text kept in the file, e.g. class names. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name of the graph in the file. */
  readonly name?: string;
}

/** A lowered graph that knows where its operators come from. */
export interface TracedModel extends TypedModel {
  /** The semantic node whose lowering emitted each operator, by the operator's name. */
  readonly origins: ReadonlyMap<string, Node>;
}

/**
 * Rewrite a semantic graph into ONNX operators for a device. Mathematics does not change here, only speed: the result
 * is checked against the float64 interpreter of the same graph.
 */
export function lower(graph: Graph, target: Target, options: LowerOptions = {}): OnnxModel {
  return lowerTraced(graph, target, options).model;
}

/** {@link lower}, telling which semantic node each operator belongs to. */
export function lowerTraced(
  graph: Graph,
  target: Target,
  { name = 'quarterturn', metadata = {} }: LowerOptions = {},
): TracedModel {
  const emitter = new Emitter();
  const origins = new Map<string, Node>();
  const claim = (node: Node): void => {
    for (const operator of emitter.namesFrom(origins.size)) origins.set(operator, node);
  };
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
    claim(node);
  }
  emitter.scope = '';
  const info = ([name, { dtype, shape }]: [string, Graph['inputs'][string]]) => ({ name, dtype, shape });
  const outputs = Object.entries(graph.outputs).map((entry) => {
    const from = lowering.plain(entry[1]);
    claim(entry[1].node);
    return { ...info(entry), from };
  });
  const { model, types } = emitter.finish(name, Object.entries(graph.inputs).map(info), outputs, metadata);
  // What is left are copies that give a value its public name.
  for (const { name: copy, outputs: results } of model.nodes) {
    const copied = results[0] === undefined ? undefined : graph.outputs[results[0]];
    if (copied && !origins.has(copy)) origins.set(copy, copied.node);
  }
  return { model, types, origins };
}

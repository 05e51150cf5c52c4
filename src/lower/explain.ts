import type { Graph, Node } from '../graph/graph.js';
import type { OnnxModel, OnnxNode } from '../onnx/model.js';
import { type Machine, predictedMs, totalWork, viewOperators, type Work, workOf } from './cost.js';
import type { TracedModel } from './lower.js';
import { intAttribute, intsAttribute } from './operator-types.js';

/** Operators of one kind that a semantic node became. */
export interface OperatorCount {
  /** `Conv 3-D (5,5,1)`, `FusedMatMul`. */
  readonly what: string;
  readonly count: number;
}

/** What became of one semantic node, what that should cost, and what it did cost. */
export interface NodeExplanation {
  readonly node: Node;
  /** Without views, in the order of their first; empty where another node's operators did the work along with theirs. */
  readonly operators: readonly OperatorCount[];
  readonly work: Work;
  readonly predictedMs: number;
  /** Undefined where nothing was measured. */
  readonly measuredMs: number | undefined;
}

/** Time of one kernel in one run. */
export interface KernelTime {
  /** The operator's name in the model, or one that the runtime made from it. */
  readonly name: string;
  readonly opType: string;
  readonly durationMs: number;
}

/** A graph, node by node in the order in which they are lowered. */
export interface GraphExplanation {
  readonly nodes: readonly NodeExplanation[];
  /** Kernels that belong to no node: the runtime put them in. */
  readonly inserted: readonly KernelTime[];
}

/**
 * Which operators each semantic node became, with the time that the roofline model predicts.
 * @param kernels what a profiling run measured, to stand beside it
 */
export function explainGraph(
  graph: Graph,
  { model, types, origins }: TracedModel,
  machine: Machine,
  kernels?: readonly KernelTime[],
): GraphExplanation {
  const operatorsOf = new Map<Node | undefined, OnnxNode[]>();
  for (const operator of model.nodes) {
    const origin = origins.get(operator.name);
    const operators = operatorsOf.get(origin);
    if (operators) operators.push(operator);
    else operatorsOf.set(origin, [operator]);
  }

  const measured = new Map<Node, number>();
  const inserted: KernelTime[] = [];
  const operatorBehind = kernelFinder(model);
  for (const kernel of kernels ?? []) {
    const operator = operatorBehind(kernel);
    const node = operator && origins.get(operator.name);
    if (node) measured.set(node, (measured.get(node) ?? 0) + kernel.durationMs);
    else inserted.push(kernel);
  }

  const nodes = graph.nodes.map((node) => {
    const operators = operatorsOf.get(node) ?? [];
    const works = operators.map((operator) => workOf(operator, types));
    return {
      node,
      operators: counted(operators),
      work: totalWork(works),
      predictedMs: works.reduce((sum, work) => sum + predictedMs(work, machine), 0),
      measuredMs: kernels && (measured.get(node) ?? 0),
    };
  });
  return { nodes, inserted };
}

/**
 * Finds the operator that a kernel stands for. Where ONNX Runtime rewrites an operator it keeps its name within the new
 * one (`Gemm_27/GemmTransposeFusion/`, `Reshape_5_new_reshape`); where it fuses several, that of the last
 * (`Relu_5:out_nchwc` is a Conv), whose time belongs to the first.
 */
function kernelFinder({ nodes }: OnnxModel): (kernel: KernelTime) => OnnxNode | undefined {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
  // Names end in a number: one that goes on with a digit is another one.
  const isWithin = (kernel: string, name: string) => {
    const start = kernel.indexOf(name);
    return start >= 0 && !/\d/.test(kernel[start + name.length] ?? '');
  };
  return ({ name, opType }) => {
    const named =
      byName.get(name) ??
      nodes
        .filter((node) => isWithin(name, node.name))
        .reduce<OnnxNode | undefined>((a, b) => (a && a.name.length >= b.name.length ? a : b), undefined);
    let operator = named;
    while (operator && operator.opType !== opType) operator = producers.get(operator.inputs[0] ?? '');
    return operator ?? named;
  };
}

function counted(operators: readonly OnnxNode[]): OperatorCount[] {
  const counts = new Map<string, number>();
  for (const operator of operators) {
    if (viewOperators.has(operator.opType)) continue;
    const what = describeOperator(operator);
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => ({ what, count }));
}

/** The operator with what its speed hangs on: how many axes a window has and how long they are, what is fused in. */
function describeOperator(operator: OnnxNode): string {
  const { opType, attributes } = operator;
  const kernel = intsAttribute(operator, 'kernel_shape');
  const words = [opType];
  if (kernel.length > 0) words.push(`${kernel.length}-D (${kernel.join(',')})`);
  if (intAttribute(operator, 'group', 1) > 1) words.push('depthwise');
  if (attributes.activation?.kind === 'string') words.push(`+ ${attributes.activation.value}`);
  return words.join(' ');
}

import { QuarterturnError } from '../errors.js';
import { at } from '../tensor/elements.js';
import type { DType, Shape, Tensor } from '../tensor/tensor.js';

/** Dtype and shape of a value: what a shape rule returns. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One result of one node; the edges of the graph. Immutable: building never changes what exists. */
export interface Value extends ValueType {
  readonly node: Node;
  /** Which of the node's outputs. */
  readonly index: number;
}

/** One call of an op. */
export interface Node {
  readonly op: OpDefinition;
  readonly inputs: readonly Value[];
  readonly attributes: object;
  readonly outputs: readonly Value[];
  /** The layer it was built in, e.g. `block1.conv2`; empty outside of {@link scoped}. */
  readonly scope: string;
}

/** The inputs or outputs of an op that has so many. */
export type One = readonly [Value];
export type Two = readonly [Value, Value];
export type Three = readonly [Value, Value, Value];
export type Five = readonly [Value, Value, Value, Value, Value];

/** A node of an op whose inputs, outputs and attributes are known. */
export interface NodeOf<
  A extends object,
  I extends readonly Value[] = readonly Value[],
  O extends readonly Value[] = readonly Value[],
> extends Node {
  readonly inputs: I;
  readonly attributes: A;
  readonly outputs: O;
}

/**
 * Gradient of a scalar with respect to each input of a node, given its gradient with respect to each output
 * (undefined: the scalar does not depend on it).
 */
export type GradientRule<
  A extends object,
  I extends readonly Value[] = readonly Value[],
  O extends readonly Value[] = readonly Value[],
> = (
  node: NodeOf<A, I, O>,
  outputGradients: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/**
 * An op with these attributes, inputs and outputs: its name, its shape rule and its gradient rule. What it computes is
 * in the reference interpreter.
 */
export interface OpDefinition<
  A extends object = object,
  I extends readonly Value[] = readonly Value[],
  O extends readonly Value[] = readonly Value[],
> {
  readonly name: string;
  /** The types of the outputs. Throws a `shape` error where inputs do not fit. */
  types(inputs: I, attributes: A): readonly ValueType[];
  /**
   * `'none'`: there is no rule, a loss may not be differentiated through this op. `'zero'`: it is flat almost everywhere,
   * so that what comes before it does not matter to the loss.
   */
  readonly gradient:
    | { rule(...args: Parameters<GradientRule<A, I, O>>): ReturnType<GradientRule<A, I, O>> }['rule']
    | 'none'
    | 'zero';
}

let currentScope = '';

/**
 * Build inside a named layer: nodes carry the name, and shape errors begin with it.
 * Scopes nest with a dot. Building is synchronous, so one variable is enough.
 */
export function scoped<T>(name: string, build: () => T): T {
  const outer = currentScope;
  currentScope = outer === '' ? name : `${outer}.${name}`;
  try {
    return build();
  } finally {
    currentScope = outer;
  }
}

/** A `shape` error that names the layer being built and the op. */
export function shapeError(op: string, expected: string, received: string, hint?: string): QuarterturnError {
  const where = currentScope === '' ? op : `${currentScope}: ${op}`;
  return new QuarterturnError(
    'shape',
    `${where}: expected ${expected}. Received: ${received}.`,
    hint ? { hint } : {},
  );
}

/** `float32 [128, 1, 28, 28]`, for messages. */
export function describeType(type: ValueType): string {
  return `${type.dtype} [${type.shape.join(', ')}]`;
}

/** Refuse operands that are not float32. */
export function checkFloat32(op: string, operands: readonly Value[]): void {
  const other = operands.find((v) => v.dtype !== 'float32');
  if (other) throw shapeError(op, 'float32 operands', describeType(other), 'Convert it with cast.');
}

/** Add a node that applies `op`; returns its outputs. */
export function apply<A extends object, I extends readonly Value[], O extends readonly Value[]>(
  op: OpDefinition<A, I, O>,
  inputs: I,
  attributes: A,
): O {
  const types = op.types(inputs, attributes);
  const outputs: Value[] = [];
  const node: Node = { op, inputs, attributes, outputs, scope: currentScope };
  types.forEach((type, index) => {
    outputs.push({ ...type, node, index });
  });
  // As many as the op has types for.
  return outputs as readonly Value[] as O;
}

/** {@link apply} for an op with one output. */
export function applyOne<A extends object, I extends readonly Value[]>(
  op: OpDefinition<A, I, One>,
  inputs: I,
  attributes: A,
): Value {
  const [output] = apply(op, inputs, attributes);
  return output;
}

/** A tensor fed at every run. */
export const inputOp: OpDefinition<ValueType & { readonly name: string }, readonly [], One> = {
  name: 'input',
  types: (_, { dtype, shape }) => [{ dtype, shape }],
  gradient: 'none',
};

/** A tensor that is part of the graph. */
export const constantOp: OpDefinition<{ readonly tensor: Tensor }, readonly [], One> = {
  name: 'constant',
  types: (_, { tensor: { dtype, shape } }) => [{ dtype, shape }],
  gradient: 'none',
};

/** Declare an input of the graph. */
export function input(name: string, dtype: DType, shape: Shape): Value {
  return applyOne(inputOp, [], { name, dtype, shape });
}

/** Put a tensor into the graph. */
export function constant(tensor: Tensor): Value {
  return applyOne(constantOp, [], { tensor });
}

/** The name that {@link input} was given. */
export function inputName(value: Value): string {
  return (value.node.attributes as { name: string }).name;
}

/** A finished graph: what to feed, what comes out, and the nodes between in an order they can run in. */
export interface Graph {
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly nodes: readonly Node[];
}

/** All nodes that `values` need, each after the nodes it needs itself. */
export function topologicalOrder(values: Iterable<Value>): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  // An explicit stack: a training step is deeper than the call stack of some browsers.
  const stack: { node: Node; next: number }[] = [];
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const { node: root } of values) {
    visit(root);
    while (stack.length > 0) {
      const top = at(stack, stack.length - 1);
      const child = top.node.inputs[top.next++];
      if (child) {
        visit(child.node);
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/** What the names of constants and intermediate results begin with in a lowered graph; no input or output may. */
export const reservedPrefix = 'qt:';

/** @throws QuarterturnError `usage` for a name that a lowered graph could not tell from others */
function checkName(role: 'input' | 'output', name: string): void {
  const expected =
    name === ''
      ? `an ${role} with a name`
      : name.startsWith(reservedPrefix)
        ? `an ${role} whose name does not begin with "${reservedPrefix}"`
        : undefined;
  if (expected === undefined) return;
  throw new QuarterturnError('usage', `graph: expected ${expected}. Received: "${name}".`, {
    hint: 'Give it another name.',
  });
}

/**
 * Close a graph over its named outputs; inputs are found by walking back.
 *
 * Inputs and outputs share one space of names, as in ONNX: each has a name of its own, which is not empty and does not
 * begin with {@link reservedPrefix}.
 * @throws QuarterturnError `shape` if two inputs share a name; `usage` for a name that cannot be given
 */
export function graph(outputs: Readonly<Record<string, Value>>): Graph {
  const nodes = topologicalOrder(Object.values(outputs));
  const inputs = new Map<string, Value>();
  for (const node of nodes) {
    if (node.op !== inputOp) continue;
    const value = at(node.outputs, 0);
    const name = inputName(value);
    checkName('input', name);
    if (inputs.has(name))
      throw new QuarterturnError('shape', `graph: expected one input named "${name}". Received: two.`);
    inputs.set(name, value);
  }
  for (const name of Object.keys(outputs)) {
    checkName('output', name);
    if (inputs.has(name)) {
      throw new QuarterturnError(
        'usage',
        `graph: expected an output that is not named like an input. Received: "${name}".`,
        { hint: `Call the output "next.${name}", for example.` },
      );
    }
  }
  return { inputs: Object.fromEntries(inputs), outputs, nodes };
}

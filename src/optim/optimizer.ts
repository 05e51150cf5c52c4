import type { Value } from '../graph/index.js';

/** Values by name. */
export type Values = Readonly<Record<string, Value>>;

/** @throws RangeError if there is none: an optimizer or a block leaves out what it has to give */
export function valueNamed(values: Values, name: string): Value {
  const value = values[name];
  if (value) return value;
  throw new RangeError(`no value is there for "${name}"`);
}

/** Inputs of the update of one parameter; all values are float32. */
export interface UpdateInputs {
  /** Of any shape. */
  readonly param: Value;
  /** ∂loss/∂param, of the parameter's shape. */
  readonly gradient: Value;
  /** By the optimizer's names, each of the parameter's shape. */
  readonly slots: Values;
  /** By the optimizer's names, already advanced; scalars. */
  readonly scalars: Values;
  /** A scalar. */
  readonly learningRate: Value;
}

/** A rule that turns gradients into new parameters, as a graph. It holds no state: what it remembers goes in and out. */
export interface Optimizer {
  readonly name: string;
  /** State kept for each parameter, one tensor of its shape each; all start at 0. */
  readonly slots: readonly string[];
  /** State kept once, as scalars, with the initial value of each. */
  readonly scalars: Readonly<Record<string, number>>;
  /** The scalars after this step. */
  advance(scalars: Values): Values;
  /** New value and slots of one parameter. */
  update(inputs: UpdateInputs): { readonly param: Value; readonly slots: Values };
}

/** Weight decay is for kernels: pulling BatchNorm's scales or a bias to 0 regularises nothing. */
export function isDecayed(param: Value): boolean {
  return param.shape.length > 1;
}

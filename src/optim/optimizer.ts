import type { Value } from '../graph/index.js';

/** Values by name. */
export type Values = Readonly<Record<string, Value>>;

/** A rule that turns gradients into new parameters, as a graph. It holds no state: what it remembers goes in and out. */
export interface Optimizer {
  readonly name: string;
  /** What is remembered for each parameter, one tensor of its shape each; all start at 0. */
  readonly slots: readonly string[];
  /** What is remembered once, as scalars, with where each starts. */
  readonly scalars: Readonly<Record<string, number>>;
  /** The scalars after this step. */
  advance(scalars: Values): Values;
  /**
   * New value and slots of one parameter.
   * @param scalars already advanced
   */
  update(
    param: Value,
    gradient: Value,
    slots: Values,
    scalars: Values,
    learningRate: Value,
  ): { readonly param: Value; readonly slots: Values };
}

/** Weight decay is for kernels: pulling BatchNorm's scales or a bias to 0 regularises nothing. */
export function isDecayed(param: Value): boolean {
  return param.shape.length > 1;
}

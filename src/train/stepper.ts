import type { Graph } from '../graph/index.js';
import type { ProgramShelf } from '../runtime/program-shelf.js';
import type { Program, Runtime } from '../runtime/runtime.js';
import { cloneTensor, scalar, type Tensors } from '../tensor/tensor.js';
import { flattenState, mapState, nextPrefix, type TrainState } from './state.js';
import { learningRateName } from './step-graph.js';

export interface StepperOptions {
  readonly runtime: Runtime;
  /** Where programs lie until the next training by the same step; default: nowhere. */
  readonly programs?: ProgramShelf | undefined;
  /** The step for batches of so many examples. */
  graphFor(batchSize: number): Graph;
  /** The state that it begins with. It is copied. */
  readonly state: TrainState;
  /** What the step reads and never changes, and more that it does not ask for. */
  readonly weights: Tensors;
}

/** A state in memory of its own: as a step reads it, and as a step writes it. */
interface StateBuffers {
  readonly state: TrainState;
  readonly inputs: Tensors;
  readonly outputs: Tensors;
}

function buffersLike(like: TrainState): StateBuffers {
  const state = mapState(like, cloneTensor);
  const inputs = flattenState(state);
  const outputs = Object.fromEntries(Object.entries(inputs).map(([name, t]) => [nextPrefix + name, t]));
  return { state, inputs, outputs };
}

/** Runs the graph of a step with two sets of buffers in turn: one is read while the other is written. */
export class Stepper {
  readonly #options: StepperOptions;
  /** One program a batch size: the short last batch of an epoch has its own. */
  readonly #programs = new Map<number, { readonly graph: Graph; readonly program: Program }>();
  #current: StateBuffers;
  #spare: StateBuffers;

  constructor(options: StepperOptions) {
    this.#options = options;
    // Copies: the caller's tensors stay what they were.
    this.#current = buffersLike(options.state);
    this.#spare = buffersLike(options.state);
  }

  /** After the last step that was done: buffers, which the step after the next one writes. */
  get state(): TrainState {
    return this.#current.state;
  }

  /**
   * One step. If it fails, the state stays as it was.
   * @returns the loss and the figures beside it
   */
  async run(
    batch: Tensors,
    { batchSize, learningRate }: { readonly batchSize: number; readonly learningRate: number },
  ): Promise<Tensors> {
    const program = await this.#program(batchSize);
    const inputs = {
      ...this.#options.weights,
      ...batch,
      [learningRateName]: scalar(learningRate),
      ...this.#current.inputs,
    };
    const { outputs } = this.#spare;
    const found = await program.run(inputs, outputs);
    this.#turn();
    return Object.fromEntries(Object.entries(found).filter(([name]) => !(name in outputs)));
  }

  /** Go back to the state before the last step, which was taken since the state was last set. */
  undo(): void {
    this.#turn();
  }

  /** Go on from another state, which is copied. */
  goOnFrom(state: TrainState): void {
    this.#current = buffersLike(state);
  }

  /** Compile the step for batches of so many examples, which its first batch would otherwise wait for. */
  async prepare(batchSize: number): Promise<void> {
    await this.#program(batchSize);
  }

  #turn(): void {
    [this.#current, this.#spare] = [this.#spare, this.#current];
  }

  /** The program of whole batches, which the next training is likely to have, too, may be kept; the others are released. */
  async release(): Promise<void> {
    const { programs: shelf } = this.#options;
    const whole = Math.max(...this.#programs.keys());
    for (const [batchSize, { graph, program }] of this.#programs) {
      if (shelf && batchSize === whole) await shelf.put(graph, program);
      else await program.release();
    }
    this.#programs.clear();
  }

  async #program(batchSize: number): Promise<Program> {
    const known = this.#programs.get(batchSize);
    if (known) return known.program;
    const { runtime, programs: shelf, graphFor } = this.#options;
    const graph = graphFor(batchSize);
    const program = await (shelf ? shelf.take(graph, runtime) : runtime.compile(graph));
    this.#programs.set(batchSize, { graph, program });
    return program;
  }
}

import { assertGoingOn, QuarterturnError } from '../errors.js';
import { describeType } from '../graph/graph.js';
import { input, scoped, type Value, type ValueType } from '../graph/index.js';
import { initialTensors, type ParamSpec, specsOf } from '../nn/block.js';
import type { LayeredNetwork, Layers, NamedValues } from '../nn/layered-network.js';
import { type Optimizer, type Values, valueNamed } from '../optim/optimizer.js';
import type { Schedule } from '../optim/schedules.js';
import { Random } from '../random/random.js';
import type { Runtime } from '../runtime/runtime.js';
import { cloneTensor, sameShape, sizeOf, type Tensor, type Tensors, tensorNamed } from '../tensor/tensor.js';
import { flattenState, mapState, type TrainState, weightsOf } from './state.js';
import { buildStep, firstState, learningRateName, type StepOutputs, type StepParts } from './step-graph.js';
import { Stepper } from './stepper.js';

/** Dtype and shape of each tensor of a batch, by its name; `x` is what the network is given. */
export type BatchTypes = Readonly<Record<string, ValueType>> & { readonly x: ValueType };

/** A tensor for each name. */
export type Batch<T extends BatchTypes = BatchTypes> = { readonly [N in keyof T]: Tensor };

export interface CompileStepOptions<L extends Layers, T extends BatchTypes> {
  readonly network: LayeredNetwork<L>;
  /** What a batch holds. Every batch has these shapes. */
  readonly inputs: T;
  /**
   * What is minimised, a float32 scalar, from the network's output and the batch; or that as `loss` with figures beside it, which each
   * step tells, too.
   */
  loss(output: Value, inputs: NamedValues<keyof T>): Value | StepOutputs;
  readonly optimizer: Optimizer;
  /** A stream that the weights are drawn from, or the weights themselves, such as those of a safetensors file. */
  readonly init: Random | Tensors;
  /** Layers that are not trained and run with their stored statistics. Default: none. */
  readonly frozen?: readonly (keyof L)[] | undefined;
  /** Of a moving average of the weights, which is then what `weights()` gives. Default: none is kept. */
  readonly averageDecay?: number | undefined;
  /** Length that all gradients together have at most, above 0. Default: they stay as they are. */
  readonly clipNorm?: number | undefined;
  /** Share of BatchNorm's old statistics that is kept at each step, 0–1. Default: 0.9, which forgets within some ten steps. */
  readonly batchNormMomentum?: number | undefined;
}

/** What a step tells: the loss before its update, and the figures beside it. */
export type StepFigures = { readonly loss: number } & Readonly<Record<string, number>>;

/** What {@link CompiledStep.train} tells after each step. */
export interface TrainedStep {
  /** From 0. */
  readonly step: number;
  readonly learningRate: number;
  readonly figures: StepFigures;
}

export interface TrainOptions {
  /** The learning rate of each step, from 0. */
  readonly schedule: Schedule;
  /** Aborted: `train` ends with an error of the code `interrupted` before the next step. */
  readonly signal?: AbortSignal | undefined;
}

/** A training step that is compiled, and the state that it goes on from. */
export interface CompiledStep<T extends BatchTypes = BatchTypes> extends AsyncDisposable {
  /**
   * One step. Steps are taken one after the other. One that fails leaves the state as it was.
   * @throws QuarterturnError `shape` for a batch of other tensors; `usage` for a learning rate, `diverged` for a loss that is no number
   */
  run(batch: Batch<T>, options: { readonly learningRate: number }): Promise<StepFigures>;
  /**
   * A step for each batch.
   * @throws QuarterturnError as {@link run}; `interrupted` once the signal is aborted
   */
  train(
    batches: Iterable<Batch<T>> | AsyncIterable<Batch<T>>,
    options: TrainOptions,
  ): AsyncIterableIterator<TrainedStep>;
  /** A copy of everything that steps change, by name: weights, what the optimizer remembers, averages. A safetensors file holds it. */
  state(): Tensors;
  /**
   * Go on from a state that {@link state} gave.
   * @throws QuarterturnError `checkpoint` naming the first tensor that is missing or of another shape
   */
  restore(state: Tensors): void;
  /** A copy of the network's tensors, all of them; averages where they are kept. */
  weights(): Tensors;
  /** Give the memory back. */
  release(): Promise<void>;
}

/**
 * Compiles a training step: forward pass, gradients and update as one graph, which each call of `run` goes through once.
 *
 * @example
 * const step = await compileStep(runtime, {
 *   network: mlp,
 *   inputs: { x: { dtype: 'float32', shape: [128, 784] }, targets: { dtype: 'int32', shape: [128] } },
 *   loss: (logits, { targets }) => crossEntropy(logits, targets),
 *   optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }),
 *   init: Random.seeded(1),
 * });
 * for await (const { figures } of step.train(batches, { schedule: constantRate(1e-3) })) console.log(figures.loss);
 * @throws QuarterturnError `shape` naming the layer where shapes do not fit; `usage` for a name that is taken, a layer to freeze that
 *   there is not, or a tensor that `init` lacks
 */
export async function compileStep<const L extends Layers, const T extends BatchTypes>(
  runtime: Runtime,
  options: CompileStepOptions<L, T>,
): Promise<CompiledStep<T>> {
  const { network, inputs, init } = options;
  const parts = partsOf(options);
  refuseTakenNames(inputs, parts);
  const weights = init instanceof Random ? initialTensors(network.specs, init) : givenWeights(network, init);
  const step = new StepInMemory<T>(runtime, inputs, parts, weights);
  // What does not fit is told here, and not by the first batch.
  await step.prepare();
  return step;
}

function partsOf<L extends Layers, T extends BatchTypes>({
  network,
  inputs,
  loss,
  optimizer,
  frozen = [],
  averageDecay,
  clipNorm,
  batchNormMomentum: momentum = 0.9,
}: CompileStepOptions<L, T>): StepParts {
  if (clipNorm !== undefined && !(clipNorm > 0)) {
    throw new QuarterturnError('usage', `clipNorm: expected a number above 0. Received: ${clipNorm}.`);
  }
  const unknown = frozen.find((key) => !(key in network.layers));
  if (unknown !== undefined) {
    throw new QuarterturnError(
      'usage',
      `frozen: expected layers of the network, ${Object.keys(network.layers).join(', ')}. Received: ${String(unknown)}.`,
    );
  }
  const isFrozen = (key: string) => frozen.includes(key);
  const layersWhere = (wanted: boolean): ParamSpec[] =>
    specsOf(
      Object.entries(network.layers).flatMap(([key, layer]) => (isFrozen(key) === wanted ? [layer] : [])),
    );
  return {
    trained: layersWhere(false),
    frozen: layersWhere(true),
    optimizer,
    averageDecay,
    clipNorm,
    forward(bindings) {
      const values: Values = Object.fromEntries(
        Object.entries(inputs).map(([name, { dtype, shape }]) => [name, input(name, dtype, shape)]),
      );
      const x = valueNamed(values, 'x');
      const output = network.apply(x, bindings, (key) => (isFrozen(key) ? 'stored' : { momentum }));
      const found = scoped('loss', () => loss(output, values as NamedValues<keyof T>));
      const outputs: StepOutputs = isValue(found) ? { loss: found } : found;
      for (const [name, value] of Object.entries(outputs)) refuseArray(name, value);
      return outputs;
    },
  };
}

function refuseArray(name: string, value: Value): void {
  if (sizeOf(value.shape) === 1) return;
  throw new QuarterturnError(
    'shape',
    `loss: expected a single number for ${name}. Received: ${describeType(value)}.`,
    { hint: 'Take its mean: reduceMean(value, [0, 1]).' },
  );
}

const isValue = (found: Value | Values): found is Value => 'node' in found && Array.isArray(found.shape);

function refuseTakenNames(inputs: BatchTypes, { trained, frozen }: StepParts): void {
  const taken = new Set([learningRateName, ...[...trained, ...frozen].map(({ name }) => name)]);
  const clash = Object.keys(inputs).find((name) => taken.has(name));
  if (clash === undefined) return;
  throw new QuarterturnError(
    'usage',
    `inputs: expected names of their own. Received: "${clash}", which is the learning rate's or a tensor's of the network.`,
  );
}

/** The network's tensors among those that were given. */
function givenWeights({ specs }: LayeredNetwork, weights: Tensors): Tensors {
  return Object.fromEntries(specs.map((spec) => [spec.name, fitting('init', spec, weights, 'usage')]));
}

function fitting(
  where: string,
  { name, shape }: Pick<ParamSpec, 'name' | 'shape'>,
  tensors: Tensors,
  code: 'usage' | 'checkpoint',
): Tensor {
  const found = tensors[name];
  if (found?.dtype === 'float32' && sameShape(found.shape, shape)) return found;
  const received = found ? describeType(found) : `none, among ${Object.keys(tensors).length}`;
  throw new QuarterturnError(
    code,
    `${where}: expected a tensor "${name}", ${describeType({ dtype: 'float32', shape })}. Received: ${received}.`,
  );
}

class StepInMemory<T extends BatchTypes> implements CompiledStep<T> {
  readonly #inputs: T;
  /** What no step changes. */
  readonly #frozen: Tensors;
  readonly #stepper: Stepper;
  /** The last step that was asked for: the next one waits for it, and does not mind how it ended. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(runtime: Runtime, inputs: T, parts: StepParts, weights: Tensors) {
    this.#inputs = inputs;
    this.#frozen = Object.fromEntries(
      parts.frozen.map(({ name }) => [name, cloneTensor(tensorNamed(weights, name))]),
    );
    this.#stepper = new Stepper({
      runtime,
      graphFor: () => buildStep(parts),
      state: firstState(parts, weights),
      weights: this.#frozen,
    });
  }

  prepare(): Promise<void> {
    return this.#stepper.prepare(this.#batchSize);
  }

  get #batchSize(): number {
    return this.#inputs.x.shape[0] ?? 1;
  }

  run(batch: Batch<T>, { learningRate }: { readonly learningRate: number }): Promise<StepFigures> {
    const next = this.#last.then(() => this.#run(batch, learningRate));
    this.#last = next.catch(() => {});
    return next;
  }

  async #run(batch: Batch<T>, learningRate: number): Promise<StepFigures> {
    if (!Number.isFinite(learningRate)) {
      throw new QuarterturnError(
        'usage',
        `learningRate: expected a finite number. Received: ${learningRate}.`,
      );
    }
    this.#refuseOthers(batch);
    const told = await this.#stepper.run(batch, { batchSize: this.#batchSize, learningRate });
    const figures = Object.fromEntries(
      Object.entries(told).map(([name, { data }]) => [name, Number(data[0])]),
    ) as StepFigures;
    if (Number.isFinite(figures.loss)) return figures;
    this.#stepper.undo();
    throw new QuarterturnError(
      'diverged',
      `step: expected a finite loss at a learning rate of ${learningRate}. Received: ${figures.loss}.`,
      { hint: 'The state is that from before the step. A lower learning rate usually helps.' },
    );
  }

  async *train(
    batches: Iterable<Batch<T>> | AsyncIterable<Batch<T>>,
    { schedule, signal }: TrainOptions,
  ): AsyncIterableIterator<TrainedStep> {
    let step = 0;
    for await (const batch of batches) {
      assertGoingOn(signal, `train: stopped before step ${step}; the state is whole.`);
      const learningRate = schedule(step);
      yield { step, learningRate, figures: await this.run(batch, { learningRate }) };
      step++;
    }
  }

  state(): Tensors {
    return flattenState(this.#copy());
  }

  restore(state: Tensors): void {
    this.#stepper.goOnFrom(
      mapState(this.#stepper.state, ({ shape }, name) =>
        fitting('state', { name, shape }, state, 'checkpoint'),
      ),
    );
  }

  weights(): Tensors {
    const frozen = Object.entries(this.#frozen).map(([name, t]) => [name, cloneTensor(t)] as const);
    return { ...Object.fromEntries(frozen), ...weightsOf(this.#copy()) };
  }

  #copy(): TrainState {
    return mapState(this.#stepper.state, cloneTensor);
  }

  async release(): Promise<void> {
    await this.#last;
    await this.#stepper.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #refuseOthers(batch: Tensors): void {
    for (const [name, type] of Object.entries(this.#inputs)) {
      const found = batch[name];
      if (found && found.dtype === type.dtype && sameShape(found.shape, type.shape)) continue;
      throw new QuarterturnError(
        'shape',
        `batch: expected ${name}, ${describeType(type)}. Received: ${found ? describeType(found) : 'none'}.`,
      );
    }
    const more = Object.keys(batch).find((name) => !(name in this.#inputs));
    if (more === undefined) return;
    throw new QuarterturnError(
      'shape',
      `batch: expected ${Object.keys(this.#inputs).join(', ')}. Received: ${more}, too.`,
    );
  }
}

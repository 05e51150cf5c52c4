import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import { QuarterturnError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { lower } from '../lower/lower.js';
import { decodeVersions } from '../onnx/decode.js';
import { encodeModel } from '../onnx/encode.js';
import type { DType, Tensor, Tensors } from '../tensor/tensor.js';
import type { DeviceName, Program, Runtime } from './runtime.js';

/** What onnxruntime-node and onnxruntime-web have in common. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

export interface SessionRuntimeOptions {
  readonly device: DeviceName;
  readonly version: string;
  readonly session: InferenceSession.SessionOptions;
  /** Whether outputs can be written into buffers of ours (Node, CPU provider). */
  readonly writesInPlace: boolean;
}

/** The {@link Runtime} over either package: one implementation, so that Node and browsers cannot drift apart. */
export class SessionRuntime implements Runtime {
  readonly device: DeviceName;
  readonly version: string;
  readonly #ort: OnnxRuntime;
  readonly #options: SessionRuntimeOptions;

  constructor(ort: OnnxRuntime, options: SessionRuntimeOptions) {
    this.#ort = ort;
    this.#options = options;
    this.device = options.device;
    this.version = options.version;
  }

  compile(graph: Graph): Promise<Program> {
    return this.load(encodeModel(lower(graph, this.device)), 'graph');
  }

  async load(model: Uint8Array, name = 'model'): Promise<Program> {
    try {
      const session = await this.#ort.InferenceSession.create(model, this.#options.session);
      return new SessionProgram(this.#ort, session, name, this.#options.writesInPlace);
    } catch (cause) {
      throw new QuarterturnError(
        'runtime',
        `${name}: expected a model that ${this.version} loads on ${this.device}. Received: ${formatOf(model)}, which it refuses (${text(cause)}).`,
        { hint: 'Export it again, or for an older ONNX version.', cause },
      );
    }
  }
}

/** What a model's bytes say of their format, for messages. */
function formatOf(model: Uint8Array): string {
  try {
    const { ir, opset } = decodeVersions('model', model);
    return `IR version ${ir ?? 'unknown'} with operator set ${opset ?? 'unknown'}`;
  } catch {
    return 'bytes that are no ONNX model';
  }
}

class SessionProgram implements Program {
  readonly #ort: OnnxRuntime;
  readonly #session: InferenceSession;
  readonly #name: string;
  readonly #writesInPlace: boolean;
  /** The last that was asked of the session, whether or not it has ended. */
  #last: Promise<unknown> = Promise.resolve();
  #released = false;

  constructor(ort: OnnxRuntime, session: InferenceSession, name: string, writesInPlace: boolean) {
    this.#ort = ort;
    this.#session = session;
    this.#name = name;
    this.#writesInPlace = writesInPlace;
  }

  get inputNames(): readonly string[] {
    return this.#session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  async run(inputs: Tensors, into: Tensors = {}): Promise<Record<string, Tensor>> {
    const feeds: Record<string, OrtTensor> = {};
    for (const name of this.inputNames) {
      const given = own(inputs, name);
      if (!given) {
        throw new QuarterturnError(
          'runtime',
          `${this.#name}: expected an input "${name}". Received: ${Object.keys(inputs).join(', ')}.`,
        );
      }
      feeds[name] = this.#wrap(given);
    }
    const fetches: Record<string, OrtTensor | null> = {};
    for (const name of this.outputNames) {
      const buffer = own(into, name);
      fetches[name] = buffer && this.#writesInPlace ? this.#wrap(buffer) : null;
    }
    const results = await this.#run(feeds, fetches);
    const outputs: Record<string, Tensor> = {};
    for (const name of this.outputNames) {
      const buffer = own(into, name);
      const result = results[name];
      if (!result) throw new RangeError(`${this.#name}: expected an output "${name}" of its session`);
      if (buffer) {
        if (!this.#writesInPlace) (buffer.data as Float32Array).set(result.data as Float32Array);
        outputs[name] = buffer;
      } else {
        outputs[name] = {
          dtype: result.type as DType,
          shape: result.dims,
          data: result.data as Tensor['data'],
        };
      }
    }
    return outputs;
  }

  #run(
    feeds: Record<string, OrtTensor>,
    fetches: Record<string, OrtTensor | null>,
  ): Promise<InferenceSession.OnnxValueMapType> {
    return this.#inTurn(async () => {
      if (this.#released) {
        throw new QuarterturnError(
          'runtime',
          `${this.#name}: expected a run before its release. Received: one after it.`,
        );
      }
      try {
        return await this.#session.run(feeds, fetches);
      } catch (cause) {
        if (/Failed to allocate memory|bad_alloc/.test(text(cause))) {
          const bytes = /buffer of size (\d+)/.exec(text(cause))?.[1];
          throw new QuarterturnError(
            'runtime',
            `${this.#name}: expected memory for a run. Received: none is left${bytes ? ` for a buffer of ${bytes} bytes` : ''}.`,
            { hint: 'Smaller batches or a narrower network need less.', cause },
          );
        }
        throw new QuarterturnError(
          'runtime',
          `${this.#name}: expected a run without an error. Received: one of ONNX Runtime (${text(cause)}).`,
          { cause },
        );
      }
    });
  }

  release(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#released) return;
      this.#released = true;
      await this.#session.release();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** One after the other: two runs of a session at the same time can end the process. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  #wrap({ dtype, shape, data }: Tensor): OrtTensor {
    return new this.#ort.Tensor(dtype, data as Float32Array, shape) as OrtTensor;
  }
}

/** A tensor by name, if there is one: names such as `toString` are found on every object. */
function own(tensors: Tensors, name: string): Tensor | undefined {
  return Object.hasOwn(tensors, name) ? tensors[name] : undefined;
}

/** The kernel library's own words, on one line, without the place in its source and the full stop. */
function text(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message
    .replace(/\s+/g, ' ')
    .replace(/\/onnxruntime_src\/\S+:\d+ .*?\) (?=\S)/, '')
    .replace(/[. ]+$/, '');
}

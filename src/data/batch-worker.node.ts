import { Worker } from 'node:worker_threads';
import { QuarterturnError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { type BatchMaker, type BatchRequest, makeBatch } from './batch-maker.js';
import type { BatchReply, BatchTask, PlainError } from './batch-thread.node.js';
import type { ImageSource } from './image-source.js';

export interface BatchWorkerOptions {
  /** Told once where no thread can be started, so that batches are made on this one; default: nobody is told. */
  readonly note?: ((text: string) => void) | undefined;
}

/**
 * Batches asked for before their step. One is being made while the one before it lies ready: a batch that takes longer
 * than the others holds nothing up as long as two steps last. More would bring nothing, since no step takes two.
 */
const ahead = 2;

const thread = new URL('./batch-thread.node.js', import.meta.url);

interface Waiting {
  resolve(images: Tensor<'uint8'>): void;
  reject(error: QuarterturnError): void;
}

/**
 * A thread that makes batches while the kernels run: a run of ONNX Runtime keeps Node's event loop busy to its end, so
 * that nothing else is done on the same thread meanwhile.
 *
 * The thread starts with the first maker that is asked for, and keeps no process alive that waits for nothing of it. Where
 * none can be started, and for images that another thread cannot read, batches are made on the thread that asks for them.
 *
 * @example
 * const worker = new BatchWorker({ note: console.warn });
 * await startRun({ settings, data, runtime, store, batchMakerFor: worker.makerFor }).result;
 * await worker.release();
 */
export class BatchWorker implements AsyncDisposable {
  readonly #note: (text: string) => void;
  /** Batches that were asked for, by their numbers. */
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  /** Over once it is known whether there is a thread. */
  #started: Promise<void> | undefined;
  /** Why there is no thread any more. */
  #ended: QuarterturnError | undefined;
  #isReady = false;
  #isAlone = false;
  /** Who waits for the thread: while there are any, it keeps the process alive. */
  #waiters = 0;
  /** Of sources and batches. */
  #lastNumber = 0;

  constructor({ note = () => {} }: BatchWorkerOptions = {}) {
    this.#note = note;
  }

  /** The maker of a source's batches on this thread. */
  readonly makerFor = (source: ImageSource): BatchMaker => {
    this.#started ??= this.#start();
    const number = ++this.#lastNumber;
    let isOpen = false;
    const isMadeHere = (): boolean => this.#isAlone || source.share === undefined;
    const tell = (task: BatchTask): void => this.#worker?.postMessage(task);
    return {
      get ahead() {
        return isMadeHere() ? 0 : ahead;
      },
      make: (request) =>
        this.#waitingFor(async () => {
          // At once where it can be: before the kernels take the event loop for themselves.
          if (!this.#isReady) await this.#started;
          if (this.#ended) throw this.#ended;
          const images = this.#isAlone ? undefined : source.share?.();
          if (images === undefined) return makeBatch(source, request);
          if (!isOpen) tell({ type: 'open', source: number, images });
          isOpen = true;
          return new Promise<Tensor<'uint8'>>((resolve, reject) => {
            const id = ++this.#lastNumber;
            this.#waiting.set(id, { resolve, reject });
            tell({ type: 'make', id, source: number, request: withOwnMemory(request) });
          });
        }),
      release: async () => {
        if (isOpen) tell({ type: 'close', source: number });
        isOpen = false;
      },
    };
  };

  /** End the thread. What it was asked for and has not made is given up. */
  async release(): Promise<void> {
    const worker = this.#worker;
    this.#end(
      new QuarterturnError('runtime', 'batches: expected a worker. Received: one that was released.'),
    );
    await worker?.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #start(): Promise<void> {
    return new Promise((resolve) => {
      const over = (reason: string, cause?: unknown): void => {
        void this.#worker?.terminate();
        this.#worker = undefined;
        if (this.#isReady || this.#ended) {
          this.#end(
            new QuarterturnError('runtime', `batches: expected a thread to make them. Received: ${reason}.`, {
              cause,
            }),
          );
        } else if (!this.#isAlone) {
          this.#isAlone = true;
          this.#note(`Batches are not made ahead of their steps: no thread can be started (${reason}).`);
        }
        resolve();
      };
      try {
        // No flags of this process: those that only a main thread knows would be refused.
        const worker = new Worker(thread, { name: 'batches', execArgv: [] });
        this.#worker = worker;
        // Node takes no heed of it before.
        worker.on('online', () => {
          if (this.#waiters === 0) worker.unref();
        });
        worker.on('message', (reply: BatchReply) => {
          if (reply.type !== 'ready') return this.#settle(reply);
          this.#isReady = true;
          resolve();
        });
        worker.on('error', (cause) => over(`one that failed (${cause.message})`, cause));
        worker.on('messageerror', (cause) => over(`an answer that cannot be read (${cause.message})`, cause));
        worker.on('exit', () => over('one that ended'));
      } catch (cause) {
        over(cause instanceof Error ? cause.message : String(cause), cause);
      }
    });
  }

  #settle(reply: Exclude<BatchReply, { type: 'ready' }>): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.type === 'made') waiting?.resolve(reply.images);
    else waiting?.reject(errorFrom(reply.error));
  }

  #end(error: QuarterturnError): void {
    this.#ended ??= error;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  async #waitingFor<T>(work: () => Promise<T>): Promise<T> {
    this.#waiters++;
    this.#worker?.ref();
    try {
      return await work();
    } finally {
      this.#waiters--;
      if (this.#waiters === 0) this.#worker?.unref();
    }
  }
}

/** A request whose arrays are not parts of larger ones: structured clone would carry all that those hold. */
function withOwnMemory(request: BatchRequest): BatchRequest {
  return request.map((part) => ({ ...part, indices: part.indices.slice() }));
}

function errorFrom({ code, message, hint }: PlainError): QuarterturnError {
  return new QuarterturnError(code, message, { ...(hint !== undefined && { hint }) });
}

import { type ChildProcess, fork } from 'node:child_process';
import { QuarterturnError } from '../../errors.js';
import { errorOf, type PlainError } from './plain-error.js';

/** What such a process answers to the call of a number. */
export type ChildAnswer<Result> = { readonly call: number } & (
  | { readonly result: Result }
  | { readonly error: PlainError }
);

export interface ChildCallsOptions {
  /** Module that the process runs. */
  readonly program: URL;
  /** What was expected of it, for messages: `picture: expected an answer of the process that classifies it`. */
  readonly expected: string;
  /** Longer than any answer takes that ever comes, in ms. */
  readonly patienceMs: number;
}

interface Waiting<Result> {
  resolve(result: Result): void;
  reject(error: Error): void;
}

/**
 * Asks a process of its own, which is begun with the first call, and anew if it has ended: what a picture does to its decoder, it
 * does there.
 */
export class ChildCalls<Task, Result> implements AsyncDisposable {
  readonly #options: ChildCallsOptions;
  readonly #waiting = new Map<number, Waiting<Result>>();
  #child: ChildProcess | undefined;
  #lastCall = 0;

  constructor(options: ChildCallsOptions) {
    this.#options = options;
  }

  /** @throws QuarterturnError as the process says; `runtime` if it ends, or does not answer and is ended for it */
  async call(task: Task): Promise<Result> {
    const { patienceMs } = this.#options;
    const child = this.#begun();
    const call = ++this.#lastCall;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(call, { resolve, reject });
        timer = setTimeout(() => {
          reject(this.#fault(`none within ${patienceMs / 1000} s`));
          child.kill('SIGKILL');
        }, patienceMs);
        child.send({ call, task }, () => {});
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(call);
    }
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    const kill = setTimeout(() => child.kill('SIGKILL'), 2000);
    await exited;
    clearTimeout(kill);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begun(): ChildProcess {
    if (this.#child?.connected) return this.#child;
    const child = fork(this.#options.program, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (answer: ChildAnswer<Result>) => {
      const waiting = this.#waiting.get(answer.call);
      if ('error' in answer) waiting?.reject(errorOf(answer.error));
      else waiting?.resolve(answer.result);
    });
    const end = (reason: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      for (const { reject } of this.#waiting.values()) reject(this.#fault(reason));
    };
    child.on('error', ({ message }) => end(message));
    child.on('exit', (status, signal) => end(`it ended (${signal ?? `status ${status}`})`));
    this.#child = child;
    return child;
  }

  #fault(reason: string): QuarterturnError {
    return new QuarterturnError('runtime', `${this.#options.expected}. Received: ${reason}.`);
  }
}

/** Answers calls in the process itself, one after the other; ends with whoever asks. */
export function answerCalls<Task, Result>(
  answer: (task: Task) => Promise<Result>,
  { toError }: { readonly toError: (error: unknown) => PlainError },
): void {
  let last: Promise<unknown> = Promise.resolve();
  process.on('message', ({ call, task }: { readonly call: number; readonly task: Task }) => {
    last = last.then(async () => {
      const reply: ChildAnswer<Result> = await answer(task).then(
        (result) => ({ call, result }),
        (error) => ({ call, error: toError(error) }),
      );
      process.send?.(reply, () => {});
    });
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C goes to the server and to this process: the server ends this one when it is done with it.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
}

import { type ChildProcess, fork } from 'node:child_process';
import { QuarterturnError } from '../../errors.js';
import type {
  AddedPicture,
  Duplicate,
  EncodedPicture,
  OpenPile,
  PictureSize,
  Pile,
  PileImage,
} from './pile.js';
import type { PileReply, PileTask } from './pile-messages.js';
import { errorOf } from './plain-error.js';
import type { PileFacts, PileProgress } from './updates.js';

const program = new URL('./pile-child.node.js', import.meta.url);

/** A picture takes milliseconds. One that takes longer than this is one that its decoder does not come back from. */
const patienceMs = 30_000;

/** What the process says on its own account, of which the end is told where it fails. */
const toldErrorLength = 500;

/**
 * Reads piles in processes of their own: decoding takes all cores for minutes, listing and comparing 60,000 names holds an event
 * loop up for half a second, and a picture may bring its decoder down.
 */
export function pilesInProcesses(options: { readonly cacheFolder?: string | undefined } = {}): OpenPile {
  return async (source, { onProgress, signal }) => {
    const reader = new PileProcess(onProgress);
    const stop = (): void => reader.tell({ type: 'stop' });
    signal.addEventListener('abort', stop, { once: true });
    try {
      reader.tell({ type: 'open', source, cacheFolder: options.cacheFolder });
      if (signal.aborted) stop();
      return await reader.pile;
    } catch (error) {
      await reader.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

interface Waiting {
  resolve(answer: EncodedPicture | AddedPicture): void;
  reject(error: Error): void;
}

/** What is asked of the process, without its number. */
type Question =
  | Omit<Extract<PileTask, { type: 'add' }>, 'request'>
  | Omit<Extract<PileTask, { type: 'picture' }>, 'request'>;

class PileProcess {
  readonly #child: ChildProcess;
  readonly #onProgress: (progress: PileProgress) => void;
  readonly #images: PileImage[] = [];
  readonly #skipped: Pile['skipped'][number][] = [];
  readonly #duplicates: Duplicate[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  readonly #lost: Promise<Error>;
  #isClosed = false;
  #lastRequest = 0;
  #stderr = '';
  /** Why there is no process any more. */
  #ended: QuarterturnError | undefined;
  readonly pile: Promise<Pile>;
  #settle: { resolve(pile: Pile): void; reject(error: Error): void } = { resolve() {}, reject() {} };

  constructor(onProgress: (progress: PileProgress) => void) {
    this.#onProgress = onProgress;
    this.pile = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever waits for it hears of its failure.
    this.pile.catch(() => {});
    this.#child = fork(program, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (text) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-toldErrorLength);
    });
    this.#child.on('message', (reply: PileReply) => this.#take(reply));
    this.#child.on('error', (cause) => this.#end(cause.message, cause));
    let lose = (_: Error): void => {};
    this.#lost = new Promise((resolve) => {
      lose = resolve;
    });
    this.#exited = new Promise((resolve) => {
      // Not `close`: Node 20 tells it of no process that was disconnected.
      this.#child.on('exit', (status, signal) => {
        this.#end(`it ended (${signal ?? `status ${status}`})${this.#stderr && `: ${this.#stderr.trim()}`}`);
        if (!this.#isClosed && this.#ended) lose(this.#ended);
        resolve();
      });
    });
  }

  tell(task: PileTask): void {
    if (this.#child.connected) this.#child.send(task, () => {});
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#end('it was closed');
    if (this.#child.pid === undefined) return; // it never began
    if (this.#child.connected) this.#child.disconnect();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#exited;
    clearTimeout(kill);
  }

  #take(reply: PileReply): void {
    switch (reply.type) {
      case 'progress':
        this.#onProgress(reply.progress);
        break;
      case 'images':
        for (const image of reply.images) this.#images.push(image);
        break;
      case 'skipped':
        for (const file of reply.skipped) this.#skipped.push(file);
        break;
      case 'duplicates':
        for (const duplicate of reply.duplicates) this.#duplicates.push(duplicate);
        break;
      case 'ready':
        this.#settle.resolve(this.#pileOf(reply.facts));
        break;
      case 'failed':
        this.#settle.reject(errorOf(reply.error));
        break;
      case 'answer':
        this.#waiting.get(reply.request)?.resolve(reply.answer);
        break;
      case 'noAnswer':
        this.#waiting.get(reply.request)?.reject(errorOf(reply.error));
        break;
    }
  }

  #pileOf(facts: PileFacts): Pile {
    const images = this.#images;
    return {
      get facts() {
        return { ...facts, count: images.length };
      },
      images,
      skipped: this.#skipped,
      duplicates: this.#duplicates,
      lost: this.#lost,
      small: (index) => this.#picture(index, 'small'),
      tile: (index) => this.#picture(index, 'tile'),
      view: (index) => this.#picture(index, 'view'),
      add: async (name) => {
        const added = (await this.#ask({ type: 'add', name })) as AddedPicture;
        if (added.isNew) images.push(added.image);
        return added;
      },
      close: () => this.close(),
    };
  }

  async #picture(index: number, size: PictureSize): Promise<EncodedPicture> {
    return (await this.#ask({ type: 'picture', index, size })) as EncodedPicture;
  }

  async #ask(task: Question): Promise<EncodedPicture | AddedPicture> {
    if (this.#ended) throw this.#ended;
    const request = ++this.#lastRequest;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(request, { resolve, reject });
        timer = setTimeout(() => reject(noAnswer(`none within ${patienceMs / 1000} s`)), patienceMs);
        this.tell({ ...task, request });
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(request);
    }
  }

  #end(reason: string, cause?: unknown): void {
    if (this.#ended) return;
    this.#ended = noAnswer(reason, cause);
    this.#settle.reject(this.#ended);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
  }
}

function noAnswer(reason: string, cause?: unknown): QuarterturnError {
  const message = `pictures: expected an answer of the process that reads them. Received: ${reason}.`;
  return new QuarterturnError('runtime', message, {
    cause,
    hint: 'Open the folder again: what was read is kept.',
  });
}

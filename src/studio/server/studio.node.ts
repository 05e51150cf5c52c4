import { homedir } from 'node:os';
import { basename, resolve } from 'node:path';
import { errorAnswer, Refusal } from './api-error.js';
import { EventHub } from './event-hub.js';
import type { OpenPile, Pile, PileSource } from './pile.js';
import type { PileState, ProjectFacts, StudioDelta, StudioState } from './updates.js';

export interface StudioOptions {
  readonly openPile: OpenPile;
  /** Told of what nobody foresaw; the studio goes on. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/**
 * What all tabs look at: at most one project, and how its pictures stand. Every change is told to the hub.
 *
 * @example
 * await using studio = new Studio({ openPile: pilesInProcesses() });
 * studio.open({ path: 'photos' });
 */
export class Studio implements AsyncDisposable {
  readonly hub: EventHub<StudioState, StudioDelta>;
  readonly #openPile: OpenPile;
  readonly #onFault: (error: unknown) => void;
  #state: StudioState = { project: null, pile: { phase: 'none' } };
  #pile: Pile | undefined;
  #indexOfId: ReadonlyMap<string, number> = new Map();
  #opening: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;

  constructor({ openPile, onFault = () => {} }: StudioOptions) {
    this.#openPile = openPile;
    this.#onFault = onFault;
    this.hub = new EventHub({ snapshot: () => this.#state });
  }

  get state(): StudioState {
    return this.#state;
  }

  /** @throws Refusal `conflict` while there is none */
  get pile(): Pile {
    if (this.#pile !== undefined) return this.#pile;
    throw new Refusal('conflict', `pictures: expected to be read. Received: ${this.#state.pile.phase}.`);
  }

  /**
   * Index of an image in the pile.
   * @throws Refusal `not-found`
   */
  indexOf(id: string): number {
    const index = this.#indexOfId.get(id);
    if (index !== undefined) return index;
    throw new Refusal('not-found', 'image: expected the id of an image of this project. Received: another.');
  }

  /**
   * Begin to read pictures, in place of those before; how it goes, {@link Studio.hub} tells.
   * @throws Refusal `conflict` while pictures are being read
   */
  open(source: PileSource): void {
    if (this.#opening !== undefined) {
      throw new Refusal('conflict', 'pictures: expected one folder at a time. Received: another one.', {
        hint: 'Stop the one that is being read first.',
      });
    }
    const located: PileSource = 'path' in source ? { path: absolute(source.path) } : source;
    const controller = new AbortController();
    this.#opening = { controller, done: this.#read(located, controller.signal) };
  }

  /** Stop reading pictures. What was decoded is kept. */
  stop(): void {
    this.#opening?.controller.abort();
  }

  async close(): Promise<void> {
    this.hub.close();
    this.stop();
    await this.#opening?.done;
    await this.#closePile();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Never rejects. */
  async #read(source: PileSource, signal: AbortSignal): Promise<void> {
    this.#setProject(factsOf(source));
    this.#setPile({ phase: 'finding' });
    try {
      await this.#closePile();
      const onProgress = (progress: PileState): void => this.#setPile(progress);
      const pile = await this.#openPile(source, { signal, onProgress });
      this.#pile = pile;
      this.#indexOfId = new Map(pile.images.map(({ id }, index) => [id, index]));
      this.#setPile(pile.facts);
    } catch (error) {
      const { status, body } = errorAnswer(error);
      if (status === 500 && !signal.aborted) this.#onFault(error);
      this.#setPile(signal.aborted ? { phase: 'stopped' } : { phase: 'failed', error: body.error });
    } finally {
      this.#opening = undefined;
    }
  }

  async #closePile(): Promise<void> {
    const pile = this.#pile;
    this.#pile = undefined;
    this.#indexOfId = new Map();
    await pile?.close();
  }

  #setProject(project: ProjectFacts | null): void {
    this.#state = { ...this.#state, project };
    this.hub.publish({ type: 'project', project }, { key: 'project' });
  }

  #setPile(pile: PileState): void {
    this.#state = { ...this.#state, pile };
    this.hub.publish({ type: 'pile', pile }, { key: 'pile' });
  }
}

/** As a shell would take it: `~` is the home folder. */
function absolute(path: string): string {
  return resolve(path.replace(/^~(?=$|[/\\])/, () => homedir()));
}

function factsOf(source: PileSource): ProjectFacts {
  if ('example' in source) return { name: 'MNIST', path: null };
  return { name: basename(source.path), path: source.path };
}

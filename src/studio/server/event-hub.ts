/** Time as the hub sees it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds, never running backwards. */
  now(): number;
  /** Do something after so many milliseconds; returns what calls it off. */
  after(ms: number, run: () => void): () => void;
}

/** What a subscriber is told. */
export type HubMessage<State, Delta> =
  /** Everything, where the subscriber knows nothing or has missed more than is kept. */
  | { readonly kind: 'snapshot'; readonly id: number; readonly state: State }
  /** What has changed since the message before, oldest first. */
  | { readonly kind: 'deltas'; readonly id: number; readonly deltas: readonly Delta[] }
  /** Nothing has changed for a while; the connection is still there. */
  | { readonly kind: 'heartbeat' };

export interface EventHubOptions<State> {
  /** The state after all deltas that were published. */
  readonly snapshot: () => State;
  /** Shortest time between two messages to a subscriber, in ms. Default: 250, four a second, as fast as a person reads. */
  readonly minIntervalMs?: number;
  /** Longest time without a message, in ms. Default: 15,000; proxies and browsers give up on silence after 30 s and more. */
  readonly heartbeatMs?: number;
  /** Deltas that are kept for subscribers that come back. Default: 1,024, some minutes of quick labelling in another tab. */
  readonly logSize?: number;
  /** Id before the first delta. Default: the time in µs, so that ids grow from one process to the next as well. */
  readonly firstId?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface SubscribeOptions<State, Delta> {
  /** Id of the last message that the subscriber has seen; default: it has seen none. */
  readonly after?: number | undefined;
  /** Takes a message; the next one is sent once this has resolved. A rejection ends the subscription. */
  readonly send: (message: HubMessage<State, Delta>) => Promise<void>;
  /** Called once when the subscription ends, whoever ended it. */
  readonly onEnd?: () => void;
}

/** A subscriber of an {@link EventHub}. */
export interface Subscription {
  /** End it. Calling it again does nothing. */
  end(): void;
}

const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Tells any number of subscribers how a state changes, each at its own pace and at most some times a second.
 *
 * Deltas go into one log of bounded length, and a subscriber is a place in that log: a slow one costs no memory, and one that
 * comes back with the id of its last message gets what it has missed, or a snapshot where the log no longer has it.
 *
 * @example
 * const hub = new EventHub<State, Delta>({ snapshot: () => state });
 * const tab = hub.subscribe({ after: lastSeenId, send: (message) => connection.write(message) });
 * hub.publish({ type: 'import', done: 100 }, { key: 'import' });
 * tab.end();
 */
export class EventHub<State, Delta> {
  readonly #snapshot: () => State;
  readonly #minIntervalMs: number;
  readonly #heartbeatMs: number;
  readonly #logSize: number;
  readonly #clock: Clock;
  /** By id, oldest first. */
  readonly #log = new Map<number, { readonly delta: Delta; readonly key: string | undefined }>();
  /** Id of the delta in the log that bears a key. */
  readonly #idOfKey = new Map<string, number>();
  readonly #tabs = new Set<Tab<State, Delta>>();
  #lastId: number;
  /** Everything up to here is in no log any more. */
  #forgottenId: number;
  #isClosed = false;

  constructor(options: EventHubOptions<State>) {
    const { minIntervalMs = 250, heartbeatMs = 15_000, logSize = 1024, clock = systemClock } = options;
    this.#snapshot = options.snapshot;
    this.#minIntervalMs = minIntervalMs;
    this.#heartbeatMs = heartbeatMs;
    this.#logSize = logSize;
    this.#clock = clock;
    this.#lastId = options.firstId ?? Date.now() * 1000;
    this.#forgottenId = this.#lastId;
  }

  /** Subscribers there are. */
  get size(): number {
    return this.#tabs.size;
  }

  /**
   * Tell all subscribers of a change.
   * @param options.key a later delta with the same key replaces this one for whoever has not seen it, as progress does
   */
  publish(delta: Delta, { key }: { readonly key?: string } = {}): void {
    const id = ++this.#lastId;
    if (key !== undefined) {
      const replaced = this.#idOfKey.get(key);
      if (replaced !== undefined) this.#log.delete(replaced);
      this.#idOfKey.set(key, id);
    }
    this.#log.set(id, { delta, key });
    for (const [oldest, entry] of this.#log) {
      if (this.#log.size <= this.#logSize) break;
      this.#log.delete(oldest);
      if (entry.key !== undefined) this.#idOfKey.delete(entry.key);
      this.#forgottenId = oldest;
    }
    for (const tab of this.#tabs) tab.plan();
  }

  subscribe({ after, send, onEnd }: SubscribeOptions<State, Delta>): Subscription {
    const tab = new Tab<State, Delta>({
      seenId: after,
      next: (seenId) => this.#messageAfter(seenId),
      isBehind: (seenId) => seenId !== this.#lastId,
      send,
      clock: this.#clock,
      minIntervalMs: this.#minIntervalMs,
      heartbeatMs: this.#heartbeatMs,
      onEnd: () => {
        this.#tabs.delete(tab);
        onEnd?.();
      },
    });
    this.#tabs.add(tab);
    if (this.#isClosed) tab.end();
    else tab.plan();
    return tab;
  }

  /** End all subscriptions, and those to come. */
  close(): void {
    this.#isClosed = true;
    for (const tab of [...this.#tabs]) tab.end();
  }

  #messageAfter(seenId: number | undefined): { message: HubMessage<State, Delta>; id: number } {
    const id = this.#lastId;
    if (seenId === id) return { message: { kind: 'heartbeat' }, id };
    if (seenId === undefined || seenId < this.#forgottenId || seenId > id) {
      return { message: { kind: 'snapshot', id, state: this.#snapshot() }, id };
    }
    const deltas = [...this.#log].filter(([at]) => at > seenId).map(([, { delta }]) => delta);
    return { message: { kind: 'deltas', id, deltas }, id };
  }
}

interface TabOptions<State, Delta>
  extends Required<Pick<EventHubOptions<State>, 'minIntervalMs' | 'heartbeatMs' | 'clock'>> {
  readonly seenId: number | undefined;
  readonly next: (seenId: number | undefined) => { message: HubMessage<State, Delta>; id: number };
  readonly isBehind: (seenId: number | undefined) => boolean;
  readonly send: (message: HubMessage<State, Delta>) => Promise<void>;
  readonly onEnd: () => void;
}

/** A place in the log, and the one timer of what is sent next. */
class Tab<State, Delta> implements Subscription {
  readonly #options: TabOptions<State, Delta>;
  #seenId: number | undefined;
  #sentMs = Number.NEGATIVE_INFINITY;
  /** When the subscriber last heard of us: when it came, or the last message. */
  #aliveMs: number;
  #callOff: (() => void) | undefined;
  #isSending = false;
  #isEnded = false;

  constructor(options: TabOptions<State, Delta>) {
    this.#options = options;
    this.#seenId = options.seenId;
    this.#aliveMs = options.clock.now();
  }

  /** Set the timer to when the next message is due. Changes of one moment become one message. */
  plan(): void {
    if (this.#isEnded || this.#isSending) return;
    const { clock, isBehind, minIntervalMs, heartbeatMs } = this.#options;
    const dueMs = isBehind(this.#seenId) ? this.#sentMs + minIntervalMs : this.#aliveMs + heartbeatMs;
    this.#callOff?.();
    this.#callOff = clock.after(Math.max(0, dueMs - clock.now()), () => void this.#send());
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#callOff?.();
    this.#options.onEnd();
  }

  async #send(): Promise<void> {
    const { next, send, clock } = this.#options;
    this.#isSending = true;
    try {
      const { message, id } = next(this.#seenId);
      this.#aliveMs = clock.now();
      if (message.kind !== 'heartbeat') this.#sentMs = this.#aliveMs;
      await send(message);
      this.#seenId = id;
      this.#isSending = false;
      this.plan();
    } catch {
      this.end(); // nobody is there any more
    }
  }
}

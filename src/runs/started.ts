import { EventStream, type IsLive } from './event-stream.js';

/** A long task that has started: its events and its result. */
export interface Started<E, R> {
  /**
   * What happens, as it happens. Every consumer gets all events from the beginning, however late it comes; of how far
   * something is (steps, passes, checkpoints) one that is late gets only the newest. Ends when `result` is known, without
   * an error where that is rejected.
   */
  readonly events: AsyncIterable<E>;
  /**
   * Rejected where it fails or is stopped. Who consumes the events may leave it unawaited; where nobody looks at either, a
   * rejection is an unhandled one, as of any promise.
   */
  readonly result: Promise<R>;
}

/**
 * Begin something long.
 * @param options.isLive which events a later one of the same type replaces
 * @param options.emit told each event at once, before those who consume `events`
 */
export function start<E extends { readonly type: string }, R>(
  body: (emit: (event: E) => void) => Promise<R>,
  { isLive, emit }: { readonly isLive: IsLive<E>; readonly emit?: ((event: E) => void) | undefined },
): Started<E, R> {
  // That it failed is no surprise to whoever consumes the events: the process is not to die of it.
  const events = new EventStream<E>(isLive, () => result.catch(() => {}));
  const tell = (event: E): void => {
    emit?.(event);
    events.emit(event);
  };
  const run = async (): Promise<R> => {
    try {
      return await body(tell);
    } finally {
      events.end();
    }
  };
  // Not before the caller has what is returned here.
  const result = Promise.resolve().then(run);
  return { events, result };
}

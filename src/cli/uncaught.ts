type Take = (error: unknown) => void;

let take: Take | undefined;

/**
 * Be told of errors that nobody waited for, in place of ending the process, until the returned function is called: for what has to
 * go on for others, as a server does. One at a time.
 */
export function onUncaught(listener: Take): () => void {
  take = listener;
  return () => {
    take = undefined;
  };
}

/** Hands an error over; whether somebody takes it. */
export function handOver(error: unknown): boolean {
  take?.(error);
  return take !== undefined;
}

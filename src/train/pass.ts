import { QuarterturnError } from '../errors.js';
import type { EventListener } from './events.js';

/** Who listens to a long pass, and who may stop it. */
interface Listening {
  readonly emit: EventListener;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Progress of a long pass: the function it returns tells how far the pass is and how long the rest will take, as events
 * of type `pass`. The clock starts now.
 *
 * @returns to be called with what is done; `reached` is how the message of a stop says it
 * @throws QuarterturnError `interrupted`, from the returned function, when the signal says so
 */
export function passProgress(
  { emit, signal }: Listening,
  title: string,
  total: number,
): (done: number, reached?: string) => void {
  const started = performance.now();
  return (done, reached = `${done} images`) => {
    const etaMs = ((performance.now() - started) / done) * (total - done);
    emit({ type: 'pass', title, done, total, etaMs });
    if (signal?.aborted) throw new QuarterturnError('interrupted', `${title}: stopped after ${reached}.`);
  };
}

/** Lets a signal through where a pass waits for nothing. */
export function letSignalsThrough(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

import type { RunStore } from '../store/checkpoint.js';
import type { LoggedEvent } from '../store/event-log.js';
import type { RunEvent } from '../store/run-event.js';
import type { RunStatus } from '../store/run-status.js';

/** A person takes this for at once, and a disk for next to nothing: 20 ms of a second. */
const statusEveryMs = 1000;

/** Steps and passes come many times a second; for who follows them, one a second is enough. */
const liveEveryMs = 1000;

/** Before the first event. */
const nothing: Omit<RunStatus, 'pid' | 'host' | 'updatedAt'> = {
  state: 'running',
  run: '',
  stages: [],
  draws: 0,
  stage: null,
  draw: 0,
  step: 0,
  totalSteps: 0,
  epoch: 0,
  epochs: 0,
  pass: null,
  etaMs: null,
  runEtaMs: null,
  train: null,
  evaluated: null,
  evidence: [],
  reason: null,
};

type Status = typeof nothing;

/** How a run stands after an event. */
export function statusAfter(status: Status, event: RunEvent): Status {
  switch (event.type) {
    case 'run-start':
      return { ...nothing, run: event.run, stages: event.stages, draws: event.draws };
    case 'run-end':
      return {
        ...status,
        state: event.state,
        pass: null,
        etaMs: null,
        runEtaMs: null,
        reason: event.reason ?? null,
      };
    case 'forecast':
      return { ...status, runEtaMs: event.remainingMs };
    case 'stage-start': {
      const { stage, draw, fromStep: step, totalSteps, epochs, stepsPerEpoch } = event;
      const epoch = Math.floor(step / stepsPerEpoch);
      return {
        ...status,
        stage,
        draw,
        step,
        totalSteps,
        epoch,
        epochs,
        train: null,
        pass: null,
        etaMs: null,
      };
    }
    case 'step': {
      const { step, totalSteps, metrics, etaMs, runEtaMs = status.runEtaMs } = event;
      // What a stage tries out besides is told as passes: a step is one of its own.
      return { ...status, step, totalSteps, train: metrics, pass: null, etaMs, runEtaMs };
    }
    case 'epoch-end':
      return { ...status, epoch: event.record.epoch, train: event.record.train };
    case 'pass': {
      const { title, done, total, etaMs, runEtaMs = status.runEtaMs } = event;
      return {
        ...status,
        pass: { title, done, total },
        etaMs: etaMs !== undefined && Number.isFinite(etaMs) ? etaMs : null,
        runEtaMs,
      };
    }
    case 'evaluated': {
      const { title, metrics } = event;
      return { ...status, pass: null, evaluated: { title, metrics } };
    }
    case 'kept':
      return { ...status, evidence: event.evidence };
    default:
      return status;
  }
}

/**
 * Writes down what a run tells: every event but most steps and passes in the log, and how it stands in the status. Nobody
 * waits for it: what cannot be written now is tried again with the next event, and when the run ends.
 */
export class RunRecorder {
  readonly #now: () => number;
  #store: RunStore | undefined;
  #status: Status = nothing;
  #isNews = false;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #pending: LoggedEvent[] = [];
  readonly #liveAt = new Map<string, number>();
  /** The writing that is under way. */
  #writing: Promise<void> | undefined;

  /** @param options.now a clock in ms, never running backwards */
  constructor({ now = () => performance.now() }: { readonly now?: () => number } = {}) {
    this.#now = now;
  }

  /** From now on there is where to write; what was told before is written, too. */
  attach(store: RunStore): void {
    this.#store = store;
  }

  record(event: RunEvent): void {
    this.#status = statusAfter(this.#status, event);
    this.#isNews = true;
    if (this.#isWorthALine(event)) this.#pending.push({ at: new Date().toISOString(), ...event });
    // A run that has not begun has no folder that could be written.
    if (this.#status.run === '') return;
    this.#writing ??= this.#write({ isLast: false })
      .catch(() => {})
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /**
   * Write what is still to be written, and wait for it.
   * @throws QuarterturnError `io` if it cannot be
   */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#status.run !== '') await this.#write({ isLast: true });
  }

  #isWorthALine({ type }: RunEvent): boolean {
    if (type !== 'step' && type !== 'pass') return true;
    const since = this.#now() - (this.#liveAt.get(type) ?? Number.NEGATIVE_INFINITY);
    if (since < liveEveryMs) return false;
    this.#liveAt.set(type, this.#now());
    return true;
  }

  async #write({ isLast }: { readonly isLast: boolean }): Promise<void> {
    const store = this.#store;
    if (!store) return;
    while (this.#pending.length > 0) {
      // More may be told while these are written.
      const events = this.#pending.slice();
      await store.appendEvents?.(events);
      this.#pending.splice(0, events.length);
    }
    if (!this.#isNews || (!isLast && this.#now() - this.#writtenAt < statusEveryMs)) return;
    this.#isNews = false;
    this.#writtenAt = this.#now();
    const { pid = null, host = null } = store.writer ?? {};
    const status: RunStatus = { ...this.#status, pid, host, updatedAt: new Date().toISOString() };
    await store.writeJson('status', status);
  }
}

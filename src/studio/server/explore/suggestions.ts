import type { LabelledPile } from '../labelled-pile.js';
import type { PileSource } from '../pile.js';
import type { Inquiries, SuggestReason } from './inquiry.js';
import type { QueueMaker, QueueReason } from './queues.js';
import type { RunClass } from './run-look.js';

/** How many images are suggested at once: what somebody labels in ten minutes. */
const count = 200;
/** When fewer than so many are left, others are looked for. */
const enough = 50;

type Found = Inquiries['suggest']['result'];

interface Kept {
  /** Of the run that they are of; empty where there was none. */
  readonly run: string;
  readonly found: Found;
  /** Which of them they were: orders are kept by it. */
  readonly number: number;
}

/** The images whose labels would teach most, looked for again when they are used up or a new run is there. */
export class Suggestions {
  readonly #source: () => PileSource;
  readonly #ask: (task: Inquiries['suggest']['task']) => Promise<Found> | undefined;
  #kept: Kept | undefined;
  /** Labels there were when the last ones were looked for: fewer could come of the same. */
  #isAsking = false;
  #isExhausted = false;

  /** @param ask undefined where it was tried before and failed */
  constructor(
    source: () => PileSource,
    ask: (task: Inquiries['suggest']['task']) => Promise<Found> | undefined,
  ) {
    this.#source = source;
    this.#ask = ask;
  }

  forget(): void {
    this.#kept = undefined;
    this.#isExhausted = false;
  }

  maker({
    labelled,
    run,
    answers,
    notesOf,
    classes,
  }: {
    readonly labelled: LabelledPile;
    /** Folder of the newest run. */
    readonly run: string | undefined;
    /** Folder of what it says of the pile. */
    readonly answers: string | undefined;
    readonly notesOf: QueueMaker['notesOf'];
    /** Of that run. */
    readonly classes: readonly RunClass[];
  }): QueueMaker {
    const waiting = (this.#kept?.found ?? []).flatMap(({ image, reason }) => {
      const index = labelled.find(image);
      return index === undefined || labelled.labelAt(index) !== undefined ? [] : [[index, reason] as const];
    });
    const isOld = this.#kept?.run !== (run ?? '');
    if (isOld) this.#isExhausted = false;
    if (isOld || (waiting.length < enough && !this.#isExhausted))
      this.#look(labelled, { run, answers, classes });
    const reasons = new Map(waiting);
    return {
      key: `suggested ${this.#kept?.number ?? 0}`,
      isPending: this.#isAsking && waiting.length === 0,
      order: () => Int32Array.from(reasons.keys()),
      notesOf: (index) => {
        const reason = reasons.get(index);
        return { ...notesOf(index), ...(reason && { reason: withIds(reason, classes) }) };
      },
    };
  }

  #look(
    labelled: LabelledPile,
    { run, answers, classes }: Pick<Parameters<Suggestions['maker']>[0], 'run' | 'answers' | 'classes'>,
  ): void {
    if (this.#isAsking) return;
    const done = labelled.images.flatMap(({ id }, i) => (labelled.labelAt(i) === undefined ? [] : [id]));
    if (done.length === labelled.images.length) return;
    const nameOf = new Map(classes.map(({ id, name }) => [id, name]));
    const labels = labelled.labelledImages().flatMap(([, image, id]): [string, string][] => {
      const name = nameOf.get(id);
      return name === undefined ? [] : [[image, name]];
    });
    const asked = this.#ask({ source: this.#source(), run, labelled: done, labels, answers, count });
    if (asked === undefined) return;
    this.#isAsking = true;
    asked
      .then((found) => {
        this.#kept = { run: run ?? '', found, number: (this.#kept?.number ?? 0) + 1 };
        this.#isExhausted = found.length < enough;
      })
      .catch(() => {
        this.#isExhausted = true;
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }
}

function withIds(reason: SuggestReason, classes: readonly RunClass[]): QueueReason {
  if (reason.kind === 'typical') return reason;
  const idOf = new Map(classes.map(({ id, name }) => [name, id]));
  const between = reason.between.map((each) => ({ class: idOf.get(each.name) ?? '', ...each }));
  return { kind: reason.kind, between };
}

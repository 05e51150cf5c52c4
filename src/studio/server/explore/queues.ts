import type { LabelAt, RunClass, RunLook } from './run-look.js';

/** What is said of an image beside its label. */
export interface ImageNotes {
  /** What the newest run, or the one that the queue speaks of, takes it for. */
  readonly prediction?: {
    /** Id of the class. */
    readonly class: string;
    /** As it is called in the run. */
    readonly name: string;
    readonly probability: number;
  };
  /** What the other of two runs takes it for, where a queue speaks of two. */
  readonly other?: ImageNotes['prediction'];
  /** Why it is in the queue. */
  readonly reason?: QueueReason;
}

export type QueueReason =
  /** It is like so much of the pile. */
  | { readonly kind: 'typical'; readonly share: number }
  /** The classifier cannot tell these classes apart in it. */
  | {
      /** Or: the classifier says the first, labelled images that look most like it the second. */
      readonly kind: 'unsure' | 'disagreement';
      readonly between: readonly {
        readonly class: string;
        readonly name: string;
        readonly probability: number;
      }[];
    }
  /** The rest of the run says another class than its label; it is wrong with this probability. */
  | { readonly kind: 'doubted'; readonly suggested: RunClass; readonly wrong: number };

/** Makes a queue of what was found out of the pile, and says something of its images. */
export interface QueueMaker {
  /** Tells its orders from those of another run, or of other suggestions. */
  readonly key: string;
  /** Whether it is yet to be found out. */
  readonly isPending?: boolean;
  /** Undefined for a queue that labels alone make. */
  readonly order?: ((labelAt: LabelAt) => Int32Array) | undefined;
  notesOf(index: number): ImageNotes;
}

const classId = '(c[1-9]\\d{0,5}|k\\d{1,6})';
/** A folder's name, without what separates the parts. */
const runId = '([^:]{1,255})';
const patterns = {
  suggested: /^suggested$/,
  doubted: /^doubted$/,
  predicted: new RegExp(`^predicted:${classId}$`),
  probability: new RegExp(`^by-probability:${classId}$`),
  confused: new RegExp(`^confused:${runId}:${classId}:${classId}$`),
  mistakes: new RegExp(`^mistakes:${runId}$`),
  differing: new RegExp(`^differing:${runId}:${runId}$`),
} as const;

/** A queue that a run, or what is like what, makes. */
export type LookedInto =
  | { readonly kind: 'suggested' | 'doubted' }
  | { readonly kind: 'predicted' | 'probability'; readonly class: string }
  | { readonly kind: 'confused'; readonly run: string; readonly label: string; readonly said: string }
  | { readonly kind: 'mistakes'; readonly run: string }
  | { readonly kind: 'differing'; readonly run: string; readonly other: string };

/** Whether labels alone do not make a queue. */
export function isLookedInto(queue: string): boolean {
  return Object.values(patterns).some((pattern) => pattern.test(queue));
}

/** What a queue's name means; undefined for one that labels alone make. */
export function partsOf(queue: string): LookedInto | undefined {
  if (patterns.suggested.test(queue)) return { kind: 'suggested' };
  if (patterns.doubted.test(queue)) return { kind: 'doubted' };
  const match = (name: keyof typeof patterns): string[] | undefined => patterns[name].exec(queue)?.slice(1);
  const predicted = match('predicted');
  if (predicted) return { kind: 'predicted', class: predicted[0] ?? '' };
  const probability = match('probability');
  if (probability) return { kind: 'probability', class: probability[0] ?? '' };
  const mistakes = match('mistakes');
  if (mistakes) return { kind: 'mistakes', run: mistakes[0] ?? '' };
  const [run = '', label = '', said = ''] = match('confused') ?? [];
  if (run !== '') return { kind: 'confused', run, label, said };
  const [one = '', other = ''] = match('differing') ?? [];
  return one === '' ? undefined : { kind: 'differing', run: one, other };
}

/** The run that a queue speaks of by its name; undefined for one of the newest run. */
export function runOf(parts: LookedInto): string | undefined {
  return 'run' in parts ? parts.run : undefined;
}

/**
 * The order of a queue that a run makes.
 * @param classes of the run, as {@link RunLook.classes} gives them
 */
export function orderOfRun(
  look: RunLook,
  parts: Exclude<LookedInto, { readonly kind: 'suggested' | 'doubted' | 'differing' }>,
  classes: readonly RunClass[],
): (labelAt: LabelAt) => Int32Array {
  const numberOf = (id: string): number => classes.findIndex((each) => each.id === id);
  const isClass = (label: string | undefined): label is string =>
    label !== undefined && label !== 'skipped' && label !== 'unsure';
  return (labelAt) => {
    switch (parts.kind) {
      case 'predicted': {
        // Those that wait for a label.
        const wanted = numberOf(parts.class);
        return look.surest((index, said) => said === wanted && labelAt(index) === undefined);
      }
      case 'probability': {
        const wanted = numberOf(parts.class);
        return wanted < 0 ? new Int32Array() : look.byProbability(wanted);
      }
      case 'confused': {
        const wanted = numberOf(parts.said);
        return look.surest((index, said) => said === wanted && labelAt(index) === parts.label);
      }
      case 'mistakes':
        return look.surest((index, said) => {
          const label = labelAt(index);
          return isClass(label) && classes[said]?.id !== label;
        });
    }
  };
}

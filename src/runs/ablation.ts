import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { parseSettings, type RunSettings } from '../recipes/settings.js';
import type { AblationRow } from '../report/ablation.js';
import { encodeJson, type RunStore } from '../store/checkpoint.js';
import { parseWith } from '../store/json.js';
import { isLive, type RunEvent, type RunEventListener } from '../store/run-event.js';

/** `ablation.json`: what was asked for, and the table as far as it is known. */
export interface Ablation {
  readonly startedAt: string;
  /** The whole recipe. */
  readonly settings: RunSettings;
  /** In the order of the table. */
  readonly variants: readonly string[];
  readonly environment: Readonly<Record<string, unknown>>;
  readonly rows: readonly AblationRow[];
}

/** Store of a table of variants and of the run of each. */
export interface AblationStore {
  /** What to call it in messages; the folder's path in Node. */
  readonly name: string;
  /** What it held when it was opened; undefined for a new one. */
  readonly before: Ablation | undefined;
  write(ablation: Ablation): Promise<void>;
  /** A run of it, to be read; undefined where none was begun. */
  readRun(name: string): Promise<RunStore | undefined>;
  /** A run of it, to be written; a new one where none was begun. */
  openRun(name: string): Promise<AblationRun>;
}

/** A run of a table that is being written. */
export interface AblationRun {
  readonly store: RunStore;
  /** Called once it is finished. */
  writeReport?(): Promise<void>;
  close(): Promise<void>;
}

/** Events of measuring a table: those of its runs, and its own progress. */
export type AblationEvent =
  | Exclude<RunEvent, { readonly type: 'run-start' | 'run-end' | 'already-finished' }>
  /** The table is started or continued. */
  | { readonly type: 'ablation-start'; readonly folder: string; readonly variants: readonly string[] }
  /** Every row was there before: nothing is trained. */
  | { readonly type: 'ablation-complete'; readonly folder: string }
  /** The backbone that several variants start from is pretrained. */
  | { readonly type: 'shared-pretraining' }
  | {
      readonly type: 'variant-start';
      readonly variant: string;
      readonly title: string;
      /** Its place in the table, from 0, and how many rows that has. */
      readonly row: number;
      readonly rows: number;
      /** Until all variants are measured. */
      readonly etaMs: number;
    }
  /** One of its stages failed, so the table leaves it out. */
  | { readonly type: 'variant-failed'; readonly variant: string; readonly title: string };

/** Listener for a run of the table; the run's own start and end are not passed on. */
export function listenerOfRun(emit: (event: AblationEvent) => void): RunEventListener {
  return (event) => {
    const { type } = event;
    if (type !== 'run-start' && type !== 'run-end' && type !== 'already-finished') emit(event);
  };
}

/** Whether a later event of the same type makes this one superfluous. */
export function isLiveOfAblation({ type }: AblationEvent): boolean {
  return isLive({ type } as RunEvent);
}

const documentName = 'ablation.json';

const ablationSchema = z.object({
  startedAt: z.string(),
  settings: z.unknown(),
  variants: z.array(z.string()),
  environment: z.record(z.string(), z.unknown()),
  rows: z.array(
    z.object({
      variant: z.string(),
      title: z.string(),
      accuracies: z.array(z.number().min(0).max(1)),
      mean: z.number(),
      deviation: z.number().nullable(),
      trainSeconds: z.number(),
      imagesTrained: z.number(),
    }),
  ),
});

/**
 * Content of a table's store.
 * @param where the document, for messages
 * @throws QuarterturnError `checkpoint` naming the fields that are wrong
 */
export function parseAblation(value: unknown, where: string): Ablation {
  const document = parseWith(ablationSchema, value, where, 'what quarterturn ablate wrote', {
    code: 'checkpoint',
    hint: 'The file was changed or damaged: restore it, or begin a table in another folder.',
  });
  return { ...document, settings: parseSettings(document.settings, where) };
}

/** An ablation, or more than one, as JSON for people and programs. */
export function encodeAblation(ablation: Ablation & { readonly folder?: string }): string {
  return `${encodeJson(documentName, ablation, 2)}\n`;
}

/** @throws QuarterturnError `checkpoint` for a store that holds a table, where a new one is to be begun */
export function assertHoldsNoTable(name: string, found: unknown): void {
  if (found === undefined) return;
  throw new QuarterturnError(
    'checkpoint',
    `${name}: expected a folder without a table. Received: ${documentName}, begun by another process.`,
    { hint: `Go on with it: quarterturn ablate --resume ${name}` },
  );
}

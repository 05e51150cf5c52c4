import type { GivenLabels } from '../../../labels/given-labels.js';
import type { PileSource } from '../pile.js';
import type { presetNames } from '../runs/trainer.js';

/** A class, by its name in a run, and how sure somebody is of it, 0–1. */
export interface ClassSaid {
  readonly name: string;
  readonly probability: number;
}

/** Why an image is worth a label. */
export type SuggestReason =
  /** It is like so much of the pile. */
  | { readonly kind: 'typical'; readonly share: number }
  /** The classifier cannot tell these two classes apart in it; class names as the run has them. */
  | {
      readonly kind: 'unsure';
      readonly between: readonly ClassSaid[];
    }
  /** The classifier says one class, and most of the labelled images that look most like it to its network another. */
  | { readonly kind: 'disagreement'; readonly between: readonly ClassSaid[] };

/** What takes seconds to find out of a pile, and is found out in another process. */
export interface Inquiries {
  /** Ask a run's classifier about its pile, and keep that. */
  readonly answers: {
    readonly task: { readonly run: string; readonly runId: string; readonly folder: string };
    readonly result: null;
  };
  /** Images whose labels would teach most. */
  readonly suggest: {
    readonly task: {
      readonly source: PileSource;
      /** Folder of the run whose classifier says what it is unsure of; undefined where there is none. */
      readonly run: string | undefined;
      /** Hashes of images that need no label any more. */
      readonly labelled: readonly string[];
      /** Images with a class that the run knows, and its name there. */
      readonly labels: readonly (readonly [image: string, label: string])[];
      /** Folder of what the run says of the pile. */
      readonly answers: string | undefined;
      readonly count: number;
    };
    readonly result: readonly { readonly image: string; readonly reason: SuggestReason }[];
  };
  /** Groups of images that show nearly the same, as hashes. */
  readonly nearDuplicates: {
    readonly task: { readonly source: PileSource };
    readonly result: readonly (readonly string[])[];
  };
  /** Two dimensions of what a run's classifier sees. */
  readonly map: {
    /** Of the run's answers. */
    readonly task: { readonly folder: string };
    readonly result: PileMap;
  };
  /** How long each preset would take. */
  readonly plan: {
    readonly task: { readonly source: PileSource; readonly labels: GivenLabels };
    readonly result: readonly { readonly preset: (typeof presetNames)[number]; readonly ms: number }[];
  };
  /** How much more labels help. */
  readonly learningCurve: {
    readonly task: {
      readonly source: PileSource;
      /** Images with a label, and the name of its class. */
      readonly labels: readonly (readonly [image: string, label: string])[];
    };
    readonly result: LearningCurve;
  };
}

/** How good a simple classifier is by more and more of a run's labels. */
export interface LearningCurve {
  /** What it is, in a sentence. */
  readonly basis: string;
  readonly points: readonly {
    /** Labels that it learned from. */
    readonly labels: number;
    /** Share of the others that it found, 0–1, and the standard deviation from draw to draw. */
    readonly accuracy: number;
    readonly deviation: number;
  }[];
  /**
   * What part of its mistakes remained when its labels were twice as many: of the run's own mistakes, about the same may remain with
   * twice its labels. Null where too few labels are there to tell.
   */
  readonly mistakesLeft: number | null;
}

/** Points of a map, of images that show alike near to each other. */
export interface PileMap {
  readonly images: readonly string[];
  /** Twice as many: x and y of each, from 0 to 1. */
  readonly positions: readonly number[];
}

export type InquiryName = keyof Inquiries;

/** A question, as it goes to another process. */
export type InquiryTask = { [N in InquiryName]: { readonly name: N } & Inquiries[N]['task'] }[InquiryName];

export interface InquireOptions {
  readonly signal: AbortSignal;
  /** 0–1 */
  readonly onProgress?: ((progress: number) => void) | undefined;
}

/**
 * Finds something out.
 * @throws QuarterturnError of what went wrong; `interrupted` where the signal says so
 */
export type Inquire = <N extends InquiryName>(
  name: N,
  task: Inquiries[N]['task'],
  options: InquireOptions,
) => Promise<Inquiries[N]['result']>;

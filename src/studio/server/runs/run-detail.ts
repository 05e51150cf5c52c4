import type { LabelNeeds } from '../../../index.js';

/** What a run that is done tells beside its row. */
export interface RunDetail {
  /** Ways to a classifier that the run tried, and what held-back labels say of each, in the order of the stages. */
  readonly steps: readonly RunStep[];
  /** Which classes more labels would help; null where nobody was asked. */
  readonly needs: LabelNeeds | null;
  /** How the estimate was made, for people. */
  readonly method: string | null;
}

export interface RunStep {
  readonly stage: string;
  readonly title: string;
  /** Share of held-back labels that it found, 0–1, and how many there were. */
  readonly accuracy: number;
  readonly heldBack: number;
  /** Whether its classifier was kept. */
  readonly isKept: boolean;
}

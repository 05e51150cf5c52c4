import type { RunRow } from '../../api/runs.js';

/** What each way to look at a pile is given. */
export interface ExploreViewProps {
  readonly run: RunRow;
  /** All runs that are done, the newest first. */
  readonly done: readonly RunRow[];
}

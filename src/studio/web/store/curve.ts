import { signal } from '@preact/signals';
import { type CurvePoint, runs } from '../api/runs.js';
import { toastError } from '../ui/toast.js';
import { onDelta, onSnapshot } from './studio.js';

export type Point = readonly [x: number, y: number];
type Series = CurvePoint['series'];

/**
 * The curves of a run: what there is, and what comes while it is followed, without a gap, also after the page was closed or the
 * connection lost. Points are numbered, and those that are missing are asked for.
 */
export class FollowedCurve {
  readonly runId: string;
  /** Raised when points have come. */
  readonly revision = signal(0);
  readonly #stages = new Map<string, Map<Series, Point[]>>();
  #next = 0;
  #isLoading = false;
  #isClosed = false;
  readonly #stops: readonly (() => void)[];

  constructor(runId: string) {
    this.runId = runId;
    this.#stops = [
      onDelta((delta) => {
        if (delta.type === 'curve' && delta.runId === runId) this.#take(delta.points);
      }),
      onSnapshot(() => void this.#load()),
    ];
    void this.#load();
  }

  /** Names of the stages that have points, in the order in which they came. */
  get stages(): readonly string[] {
    return [...this.#stages.keys()];
  }

  /** How many points there are. */
  get count(): number {
    return this.#next;
  }

  points(stage: string, series: Series): readonly Point[] {
    return this.#stages.get(stage)?.get(series) ?? [];
  }

  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
  }

  #take(points: readonly CurvePoint[]): void {
    const first = points.find(({ seq }) => seq >= this.#next);
    if (first === undefined) return;
    if (first.seq > this.#next) {
      void this.#load();
      return;
    }
    for (const { seq, stage, series, x, y } of points) {
      if (seq !== this.#next) continue;
      this.#next++;
      const ofStage = this.#stages.get(stage) ?? new Map<Series, Point[]>();
      this.#stages.set(stage, ofStage);
      const list = ofStage.get(series) ?? [];
      ofStage.set(series, list);
      list.push([x, y]);
    }
    this.revision.value++;
  }

  async #load(): Promise<void> {
    if (this.#isLoading || this.#isClosed) return;
    this.#isLoading = true;
    try {
      for (;;) {
        const { points } = await runs.curve(this.runId, this.#next);
        if (points.length === 0 || this.#isClosed) break;
        this.#take(points);
      }
    } catch (error) {
      toastError(error);
    } finally {
      this.#isLoading = false;
    }
  }
}

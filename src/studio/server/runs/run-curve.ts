import type { RunEvent } from '../../../index.js';
import type { CurvePoint, CurveSeries } from './run-updates.js';

/**
 * The curves of a run, made of its events in their order: the same events give the same points under the same numbers, so that a
 * page that comes back, and one that opens a finished run, see what a page saw that was there all the time.
 *
 * A run that goes on repeats the steps after its last checkpoint, which give the same figures: what a curve has already is passed
 * over. Of several draws of the labels, the first is shown, whose classifier is kept.
 */
export class RunCurve {
  readonly #points: CurvePoint[] = [];
  readonly #lastX = new Map<string, number>();
  #draw = 0;

  get points(): readonly CurvePoint[] {
    return this.#points;
  }

  /** @returns the points that it brings */
  add(event: RunEvent): readonly CurvePoint[] {
    if (event.type === 'stage-start') this.#draw = event.draw;
    if (this.#draw > 0) return [];
    if (event.type === 'step') {
      const { stage, step, metrics } = event;
      return this.#take(stage, step, { loss: metrics.loss, accuracy: metrics.accuracy });
    }
    if (event.type !== 'epoch-end' || event.record.draw > 0) return [];
    const { stage, step, val, pile } = event.record;
    return this.#take(stage, step, {
      heldBackLoss: val?.loss,
      heldBackAccuracy: val?.accuracy,
      agreement: pile?.agreement,
    });
  }

  #take(
    stage: string,
    x: number,
    figures: { readonly [S in CurveSeries]?: number | undefined },
  ): readonly CurvePoint[] {
    const before = this.#points.length;
    for (const [name, y] of Object.entries(figures)) {
      const key = `${stage} ${name}`;
      if (y === undefined || x <= (this.#lastX.get(key) ?? -1)) continue;
      this.#lastX.set(key, x);
      this.#points.push({ seq: this.#points.length, stage, series: name as CurveSeries, x, y });
    }
    return this.#points.slice(before);
  }
}

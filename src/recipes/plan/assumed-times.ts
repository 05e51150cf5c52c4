import { graphSize } from '../pile-graph.js';
import type { Speeds } from '../stages/speeds.js';

/** To classify an image takes as long as so much of a step takes for it: 20 of 80 ms for 128 images of 28×28. */
export const classifyShare = 0.25;

/** What cannot be told from the time of a step, in ms, as on 2 cores; none of it is much of a run that takes minutes. */
export const assumed = {
  compileMs: { step: 300, classify: 50 },
  viewMs: 0.1,
  saveMs: 30,
  /** To describe an image and to connect it with its neighbours. */
  describeMs: 0.5,
  /** To compare two images. */
  compareMs: 3e-6,
  spreadStepMs: 0.0003,
} as const;

/** To find neighbours and to spread labels over them, among so many images. */
export function pileTimes(train: number): Speeds['pile'] {
  const n = graphSize(train);
  return {
    graphMs: n * assumed.describeMs + n * n * assumed.compareMs,
    spreadStepMs: n * assumed.spreadStepMs,
  };
}

import { fitToLabels } from '../fit-to-labels.js';
import { withLocatedLabels } from '../labels.js';
import { stagesOf } from '../stages/registry.js';
import { type MeasuredContext, measureSpeeds } from './measure-speeds.js';
import { predictMs } from './run-cost.js';

/**
 * Predicts how long a whole run takes on this machine, from its first graph to its report, by measuring the speed of its graphs,
 * which takes a few seconds.
 *
 * @returns in ms
 * @throws QuarterturnError `data` if labels do not fit the data; `interrupted` if the context's signal is aborted
 */
export async function predictRunMs(given: MeasuredContext): Promise<number> {
  const context = fitToLabels(await withLocatedLabels(given));
  const stages = stagesOf(context.settings);
  return predictMs(context.settings, stages, await measureSpeeds(context, { stages }));
}

import type { TrainingSummary } from '../model/training-summary.js';
import { sha256 } from '../store/digest.js';
import type { RecipeContext } from './context.js';
import { labelledIndices } from './labels.js';
import type { Appraisal } from './stages/appraise.js';
import type { Classifier } from './stages/finetune.js';

interface Kept extends Partial<Appraisal> {
  /** Name of the stage that it comes from. */
  readonly stage: string;
  readonly classifier: Pick<Classifier, 'test'>;
}

/** What the file of the classifier that draw 0 keeps says of its training. */
export async function trainingSummaryOf(
  context: RecipeContext,
  { stage, classifier: { test }, estimate, calibration }: Kept,
): Promise<TrainingSummary> {
  const { settings, data } = context;
  return {
    preset: settings.preset,
    seed: settings.seed,
    stage,
    images: data.train.images.count,
    labels: labelledIndices(context, 0).length,
    estimate: estimate ?? null,
    test: test ? { accuracy: test.metrics.accuracy, images: test.targets.length } : null,
    calibration: calibration
      ? {
          temperature: calibration.temperature,
          heldBack: calibration.heldBack,
          eceBefore: calibration.eceBefore,
          eceAfter: calibration.eceAfter,
        }
      : null,
    settings: (await sha256(JSON.stringify(inOrder(settings)))) ?? null,
  };
}

/** The same value, the keys of its objects in alphabetical order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, inOrder(entry)]));
}

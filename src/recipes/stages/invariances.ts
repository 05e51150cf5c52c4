import { type AugmentationStrength, toneChanges } from '../../data/augmentation-policy.js';
import type { Invariance, InvarianceName } from '../../store/invariance.js';
import { type RecipeContext, randomFor } from '../context.js';
import { openInvariances, type RunSettings } from '../settings.js';
import { judgeMirroring } from './mirroring.js';
import { comparisonSample } from './sample.js';
import { judgeTones } from './tones.js';

/**
 * Finds out which changes leave the class of a draw's images as it is: see {@link judgeMirroring} and {@link judgeTones}.
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function judgeInvariances(context: RecipeContext, draw: number): Promise<readonly Invariance[]> {
  const open = openInvariances(context.settings);
  if (open.length === 0) return [];
  const sample = comparisonSample(context, draw);
  const found: Invariance[] = [];
  if (open.includes('mirroring')) found.push(await judgeMirroring(context, sample));
  if (open.includes('tones')) {
    found.push(await judgeTones(context, sample, randomFor(context, 'invariances', 'tones', draw)));
  }
  return found;
}

/** The settings with the changes under which images keep their class made by all distortions that stages learn from. */
export function withInvariances(settings: RunSettings, found: readonly Invariance[]): RunSettings {
  const holds = (name: InvarianceName) => found.some(({ change, holds }) => change === name && holds);
  const [mirrored, toned] = [holds('mirroring'), holds('tones')];
  if (!mirrored && !toned) return settings;
  const mild = <T extends AugmentationStrength>(strength: T): T => ({
    ...strength,
    ...(mirrored && { flipHorizontal: true }),
  });
  const strong = <T extends AugmentationStrength>(strength: T): T => ({
    ...mild(strength),
    ...(toned && {
      contrast: Math.max(strength.contrast, toneChanges.contrast),
      brightness: Math.max(strength.brightness, toneChanges.brightness),
    }),
  });
  const { finetune, selfTrain } = settings;
  return {
    ...settings,
    finetune: { ...finetune, augmentation: finetune.augmentation && strong(finetune.augmentation) },
    selfTrain: selfTrain && {
      ...selfTrain,
      mild: mild(selfTrain.mild),
      strong: strong(selfTrain.strong),
    },
  };
}

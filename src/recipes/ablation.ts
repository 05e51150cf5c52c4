import type { GivenLabels } from '../labels/given-labels.js';
import type { LadderFigure } from '../store/run-record.js';
import type { RecipeContext } from './context.js';
import { labelledIndices } from './labels.js';
import type { RunSettings, SelfTrainSettings } from './settings.js';
import { allStages } from './stages/registry.js';
import { type Cost, costOf } from './stages.js';
import { suggest } from './suggest.js';

/** One row of the ablation table: a recipe that differs from another one in a single thing. */
export interface Variant {
  /** A plain word: what `--variants` takes, and the folder of its run. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** The figure that the row shows. */
  readonly figure: LadderFigure;
  /** Its labels are chosen from what the images look like. */
  readonly suggests?: true;
  /**
   * @param settings the whole recipe
   * @returns the recipe of this variant; undefined if the whole one lacks what it is about
   */
  change(settings: RunSettings, facts: VariantFacts): RunSettings | undefined;
}

/** What variants are made from beside the settings. */
export interface VariantFacts {
  /** Of the backbone. */
  readonly blocks: number;
  /** Images that were chosen to be labelled; undefined if no variant that was asked for needs them. */
  readonly suggested: GivenLabels | undefined;
}

/** The recipe up to the labels, from the pretrained backbone. */
function supervised(settings: RunSettings): RunSettings {
  return { ...settings, finetune: { ...settings.finetune, from: 'backbone' }, selfTrain: null };
}

/** The recipe with something else about self-training; undefined if it has none. */
function selfTrained(settings: RunSettings, change: Partial<SelfTrainSettings>): RunSettings | undefined {
  const { finetune, selfTrain } = settings;
  if (!selfTrain) return undefined;
  return { ...settings, finetune: { ...finetune, from: 'backbone' }, selfTrain: { ...selfTrain, ...change } };
}

/** The table, row by row. A new variant is one more entry. */
export const variants: readonly Variant[] = [
  {
    name: 'baseline',
    title: 'baseline, as in the notebook',
    figure: 'baseline',
    change: supervised,
  },
  {
    name: 'statistics',
    title: '+ re-estimated statistics',
    figure: 'baselineReestimated',
    change: supervised,
  },
  {
    name: 'augmentation',
    title: "+ augmentation, fine-tuning's schedule",
    figure: 'scratch',
    change: (settings) => (settings.finetune.augmentation ? supervised(settings) : undefined),
  },
  {
    name: 'frozen',
    title: '+ rotation pretraining, backbone frozen',
    figure: 'fineTune',
    change: (settings, { blocks }) => {
      const { finetune, ...others } = supervised(settings);
      return { ...others, finetune: { ...finetune, frozenBlocks: blocks } };
    },
  },
  {
    name: 'fine-tuned',
    title: '+ rotation pretraining, fine-tuned',
    figure: 'fineTune',
    change: supervised,
  },
  {
    name: 'self-training',
    title: '+ self-training from neighbours',
    figure: 'selfTrain',
    change: (settings) => selfTrained(settings, { start: 'finetune', teacher: 'neighbours' }),
  },
  {
    name: 'self-training-alone',
    title: 'the same, no rotation pretraining',
    figure: 'selfTrain',
    change: (settings) => selfTrained(settings, { start: 'scratch', teacher: 'neighbours' }),
  },
  {
    name: 'views',
    title: 'views instead of neighbours',
    figure: 'selfTrain',
    change: (settings) => selfTrained(settings, { start: 'scratch', teacher: 'views' }),
  },
  {
    name: 'fixmatch',
    title: 'FixMatch instead of neighbours',
    figure: 'selfTrain',
    change: (settings) =>
      selfTrained(settings, {
        start: 'scratch',
        teacher: 'views',
        informationWeight: 0,
        pseudoLabelWeight: 1,
      }),
  },
  {
    name: 'suggested',
    title: 'self-training, suggested labels',
    figure: 'selfTrain',
    suggests: true,
    // Which images are the most typical is no matter of chance: there is one draw.
    change: (settings, { suggested }) => {
      const trained = selfTrained(settings, { start: 'scratch', teacher: 'neighbours' });
      return trained && { ...trained, labels: suggested ?? settings.labels, draws: 1 };
    },
  },
];

/** Names of the stages to train for a variant's figure, beside what all variants share. */
export function variantStages({ figure }: Pick<Variant, 'figure'>, settings: RunSettings): readonly string[] {
  const stages = allStages.filter(({ figures }) => figures.includes(figure));
  return [...stages.flatMap((stage) => stage.needs(settings)), ...stages]
    .filter(({ isShared }) => !isShared)
    .map(({ name }) => name);
}

/** As many labels as the recipe has, given to the most typical images of the pile. */
export async function suggestedLabels(context: RecipeContext): Promise<GivenLabels> {
  const { settings, data } = context;
  const count =
    settings.labelsPerClass === 'all'
      ? labelledIndices(context, 0).length
      : settings.labelsPerClass * data.train.classNames.length;
  const { images } = await suggest(context, { count, strategy: 'typical', labelled: new Uint32Array() });
  return { data: null, images: images.map(({ image, index }) => ({ image, index, label: null })) };
}

/** What it takes to train some stages for one draw, the mean over the draws, and the pretraining that they build on. */
export async function meanCost(
  stages: readonly string[],
  { store, settings }: Pick<RecipeContext, 'store' | 'settings'>,
  pretraining: Cost | undefined,
): Promise<Cost> {
  let [durationMs, imagesTrained] = [0, 0];
  for (const stage of stages) {
    for (let draw = 0; draw < settings.draws; draw++) {
      const cost = await costOf({ store }, stage, draw);
      durationMs += cost.durationMs / settings.draws;
      imagesTrained += cost.imagesTrained / settings.draws;
    }
  }
  return {
    durationMs: durationMs + (pretraining?.durationMs ?? 0),
    imagesTrained: imagesTrained + (pretraining?.imagesTrained ?? 0),
  };
}

import { batchesPerEpoch } from '../../data/batches.js';
import { baseline, baselineName } from './baseline.js';
import { classifyMs, compiledGraphs, trainingMs } from './cost.js';
import { finetuneStage } from './finetune-stage.js';
import { pretrainStage } from './pretrain-stage.js';
import type { Stage } from './stage.js';

/** The notebook's supervised network, to compare with: see {@link baseline}. */
export const baselineStage: Stage = {
  name: baselineName,
  version: 1,
  title: 'Supervised baseline',
  activity: 'baseline',
  figures: ['baseline', 'baselineReestimated'],
  isShared: false,
  settingsOf: ({ baseline }) => baseline,
  isAskedFor: () => true,
  needs: () => [],

  async train({ context, draw }) {
    const { train, test, testReestimated } = await baseline(context, { draw });
    return {
      figures: {
        baseline: { train, test: test?.metrics ?? null },
        baselineReestimated: { test: testReestimated?.metrics ?? null },
      },
      tested: [
        { figure: 'baseline', step: 'baseline, as in the notebook', when: 'supervised baseline', test },
        {
          figure: 'baselineReestimated',
          step: '+ re-estimated statistics',
          when: 'baseline with re-estimated statistics',
          test: testReestimated,
        },
      ],
    };
  },

  // It has no scaling: it is there to compare, and stays as the preset has it.
  stepsOf: ({ baseline: { epochs, batchSize } }, { labelled }) =>
    epochs * batchesPerEpoch(labelled, batchSize),
  // It trains the same network by the same step as another stage, if never on features.
  async stepMs(context, stopwatch) {
    const { pretrain, finetune, baseline } = context.settings;
    const perImage = stopwatch.isRun(pretrainStage)
      ? (await pretrainStage.stepMs(context, stopwatch)) / pretrain.batchSize
      : (await finetuneStage.stepMs(context, stopwatch)) / finetune.batchSize;
    return perImage * baseline.batchSize;
  },
  drawMs(work) {
    const { settings, speeds } = work;
    const { labelled, test } = speeds.images;
    const graphs = compiledGraphs(labelled, settings.baseline.batchSize);
    return (
      trainingMs(work, baselineStage, { graphs, savesPerEpoch: 1 }) +
      classifyMs(speeds, 3 * labelled) +
      2 * classifyMs(speeds, test)
    );
  },
};

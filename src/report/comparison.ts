import { isMnist } from '../data/mnist-checksums.js';
import type { DrawResult, Metrics, ResultFigure, RunRecord, RunResult } from '../store/run-record.js';
import { settingAt } from './run-facts.js';
import { spreadOf } from './statistics.js';

/** One figure of a run beside the notebook's. */
export interface ComparisonRow {
  /** What is measured; rows of one subject stand together. */
  readonly subject:
    | 'rotation'
    | 'fineTune'
    | 'selfTrain'
    | 'final'
    | 'baseline'
    | 'baselineReestimated'
    | 'scratch'
    | 'linearProbe'
    | 'draws';
  readonly label: string;
  /** null if the stage was not run. */
  readonly ours: number | null;
  /** Sample standard deviation over label draws, where `ours` is their mean. */
  readonly deviation?: number;
  /** null if the notebook does not report it, or looked at other data. */
  readonly notebook: number | null;
  readonly unit: 'accuracy' | 'loss';
}

/** Every figure that the notebook prints after a stage (accuracies 0–1, losses in nats); its data is MNIST. */
export const notebookFigures = {
  pretext: { val: { accuracy: 0.99562 }, test: { accuracy: 0.9948, loss: 0.01534 } },
  fineTune: { train: { accuracy: 0.99 }, test: { accuracy: 0.8787, loss: 0.6069 } },
  baseline: { train: { accuracy: 1 }, test: { accuracy: 0.1137, loss: 2.3122 } },
} as const;

export type NotebookFigures = typeof notebookFigures;

/**
 * The notebook's figures, where a run's can stand beside them: those on other data say nothing about each other.
 * @param checksums MD5 of each data file, as `config.json` and a `DataSource` have them
 */
export function notebookFor(checksums: unknown): NotebookFigures | null {
  return typeof checksums === 'object' && checksums !== null && isMnist({ ...checksums })
    ? notebookFigures
    : null;
}

/** The same for the data of a run, as its `config.json` tells it. */
export function notebookOf(config: RunRecord['config']): NotebookFigures | null {
  return notebookFor(settingAt(config, ['data', 'checksums']));
}

/**
 * Each figure of a run with the notebook's beside it, and what the notebook lacks: self-training (where the run had any,
 * with the classifier that was saved in the end beside the notebook's one), the baseline with re-estimated statistics, the
 * labels alone with fine-tuning's schedule and augmentation, mean ± sample standard deviation where there are at least two label draws.
 * @param theirs as {@link notebookFor} gives them: null leaves the notebook's place empty
 */
export function compareWithNotebook(
  result: Pick<RunResult, ResultFigure | 'final' | 'draws'>,
  theirs: NotebookFigures | null,
): readonly ComparisonRow[] {
  const { pretext, fineTune, scratch, linearProbe, selfTrain, mixture, final } = result;
  const { baseline, baselineReestimated } = result;
  return [
    accuracy('rotation', 'Rotation, validation accuracy', pretext?.val, theirs?.pretext.val.accuracy),
    accuracy('rotation', 'Rotation, test accuracy', pretext?.test, theirs?.pretext.test.accuracy),
    loss('rotation', 'Rotation, test loss', pretext?.test, theirs?.pretext.test.loss),
    accuracy(
      'fineTune',
      'Fine-tuned, accuracy on its labels',
      fineTune?.train,
      theirs?.fineTune.train.accuracy,
    ),
    accuracy('fineTune', 'Fine-tuned, test accuracy', fineTune?.test, theirs?.fineTune.test.accuracy),
    loss('fineTune', 'Fine-tuned, test loss', fineTune?.test, theirs?.fineTune.test.loss),
    ...(selfTrain
      ? [
          accuracy('selfTrain', 'Self-trained, test accuracy', selfTrain.test),
          loss('selfTrain', 'Self-trained, test loss', selfTrain.test),
          ...(mixture && mixture.members.length > 0
            ? [
                accuracy('selfTrain', 'Mixture, test accuracy', mixture.test),
                loss('selfTrain', 'Mixture, test loss', mixture.test),
              ]
            : []),
          accuracy(
            'selfTrain',
            'Final classifier, test accuracy',
            final?.test,
            theirs?.fineTune.test.accuracy,
          ),
          loss('selfTrain', 'Final classifier, test loss', final?.test, theirs?.fineTune.test.loss),
        ]
      : []),
    // Else it is the fine-tuned one, as far as anybody asks.
    ...(final && !selfTrain && (!fineTune || linearProbe)
      ? [
          accuracy('final', 'Final classifier, test accuracy', final.test),
          loss('final', 'Final classifier, test loss', final.test),
        ]
      : []),
    accuracy('baseline', 'Baseline, training accuracy', baseline?.train, theirs?.baseline.train.accuracy),
    accuracy('baseline', 'Baseline, test accuracy', baseline?.test, theirs?.baseline.test.accuracy),
    loss('baseline', 'Baseline, test loss', baseline?.test, theirs?.baseline.test.loss),
    accuracy('baselineReestimated', 'Baseline re-estimated, test accuracy', baselineReestimated?.test),
    loss('baselineReestimated', 'Baseline re-estimated, test loss', baselineReestimated?.test),
    ...(scratch
      ? [
          accuracy('scratch', 'Labels alone, augmented, test accuracy', scratch.test),
          loss('scratch', 'Labels alone, augmented, test loss', scratch.test),
        ]
      : []),
    ...(linearProbe
      ? [
          accuracy('linearProbe', 'Head on frozen features, test accuracy', linearProbe.test),
          loss('linearProbe', 'Head on frozen features, test loss', linearProbe.test),
        ]
      : []),
    ...drawRows(result.draws),
  ];
}

type Subject = ComparisonRow['subject'];

function accuracy(
  subject: Subject,
  label: string,
  ours: Metrics | null | undefined,
  notebook: number | null = null,
) {
  return { subject, label, ours: ours?.accuracy ?? null, notebook, unit: 'accuracy' } as const;
}

function loss(
  subject: Subject,
  label: string,
  ours: Metrics | null | undefined,
  notebook: number | null = null,
) {
  return { subject, label, ours: ours?.loss ?? null, notebook, unit: 'loss' } as const;
}

/** The notebook made one draw: its figures stand beside ours of draw 0, not beside a mean. */
function drawRows(draws: readonly DrawResult[]): ComparisonRow[] {
  if (draws.length < 2) return [];
  const subjects = [
    ['Fine-tuned', (draw: DrawResult) => draw.fineTune],
    ['Self-trained', (draw: DrawResult) => draw.selfTrain],
    // The same as fine-tuned where nothing else was tried.
    ['Final classifier', (draw: DrawResult) => (draw.selfTrain || draw.linearProbe ? draw.final : null)],
    ['Baseline', (draw: DrawResult) => draw.baseline],
    ['Baseline re-estimated', (draw: DrawResult) => draw.baselineReestimated],
    ['Labels alone, augmented', (draw: DrawResult) => draw.scratch],
    ['Head on frozen features', (draw: DrawResult) => draw.linearProbe],
  ] as const;
  return subjects.flatMap(([name, metricsOf]) => {
    // Records of earlier versions lack the stages that there were not yet.
    const metrics = draws.map(metricsOf).filter((m) => m !== null && m !== undefined);
    if (metrics.length < 2) return [];
    return (['accuracy', 'loss'] as const).map((unit) => {
      const { mean, deviation } = spreadOf(metrics.map((m) => m[unit]));
      const label = `${name}, test ${unit}, mean of ${metrics.length}`;
      return { subject: 'draws', label, ours: mean, deviation, notebook: null, unit } as const;
    });
  });
}

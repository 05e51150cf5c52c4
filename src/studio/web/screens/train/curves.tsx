import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { CurveSeries } from '../../../server/runs/run-updates.js';
import { FollowedCurve } from '../../store/curve.js';
import { type ChartLine, LineChart } from '../../ui/line-chart.js';
import { percent } from '../../ui/words.js';

/** Names of stages, for people. */
const stageNames: Readonly<Record<string, string>> = {
  pretrain: 'Rotations',
  baseline: 'Baseline',
  finetune: 'Fine-tuning',
  scratch: 'From scratch',
  selfTrain: 'Self-training',
  'self-train': 'Self-training',
  appraise: 'Appraisal',
};

const lines: readonly (Pick<ChartLine, 'name' | 'colour' | 'isDashed'> & {
  readonly series: CurveSeries;
  readonly chart: 'accuracy' | 'loss';
})[] = [
  { series: 'accuracy', name: 'while learning', colour: '--accent', chart: 'accuracy' },
  { series: 'heldBackAccuracy', name: 'held back', colour: '--good', isDashed: true, chart: 'accuracy' },
  { series: 'agreement', name: 'agreement on the pile', colour: '--warn', isDashed: true, chart: 'accuracy' },
  { series: 'loss', name: 'while learning', colour: '--accent', chart: 'loss' },
  { series: 'heldBackLoss', name: 'held back', colour: '--good', isDashed: true, chart: 'loss' },
];

export interface CurvesProps {
  readonly runId: string;
  /** The stage that trains now; null: the last one is shown first. */
  readonly stage: string | null;
}

/** Curves of a run's stages: share that is right, and loss, over the steps. */
export function Curves({ runId, stage }: CurvesProps) {
  const curve = useMemo(() => new FollowedCurve(runId), [runId]);
  useEffect(() => () => curve.close(), [curve]);
  const chosen = useSignal<string | null>(null);
  curve.revision.value;
  const { stages } = curve;
  const shown = chosen.value ?? (stage !== null && stages.includes(stage) ? stage : stages.at(-1));
  if (shown === undefined) return <p class="curves-empty quiet-text">Curves come with the first steps.</p>;
  const chart = (name: 'accuracy' | 'loss') => {
    const drawn = lines
      .filter((line) => line.chart === name)
      .map((line) => ({ ...line, points: curve.points(shown, line.series) }))
      .filter(({ points }) => points.length > 0);
    if (drawn.length === 0) return null;
    const last = drawn.map(({ name: of, points }) => {
      const y = points.at(-1)?.[1] ?? 0;
      return `${of} ${name === 'accuracy' ? percent(y, 1) : y.toPrecision(3)}`;
    });
    const title = name === 'accuracy' ? 'Share that is right' : 'Loss (lower is better)';
    return (
      <figure class="curve">
        <figcaption>
          <b>{title}</b>
          {drawn.map(({ series, name: of, colour, isDashed }, i) => (
            <span key={series} class="small number">
              <span class="curve-key" data-dashed={isDashed} style={{ borderColor: `var(${colour})` }} />
              {last[i] ?? of}
            </span>
          ))}
        </figcaption>
        <LineChart
          lines={drawn}
          isShare={name === 'accuracy'}
          xName="steps"
          says={`${title} over the steps; now: ${last.join(', ')}`}
        />
      </figure>
    );
  };
  return (
    <div class="curves" data-points={curve.count}>
      {stages.length > 1 && (
        <fieldset class="pills stage-pills">
          <legend class="visually-hidden">Stage</legend>
          {stages.map((name) => (
            <button
              key={name}
              type="button"
              class="pill"
              aria-pressed={name === shown}
              onClick={() => (chosen.value = name)}
            >
              {stageNames[name] ?? name}
            </button>
          ))}
        </fieldset>
      )}
      <div class="curve-pair">
        {chart('accuracy')}
        {chart('loss')}
      </div>
    </div>
  );
}

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type RunDetail, type RunRow, runs } from '../../api/runs.js';
import { Interval } from '../../ui/interval.js';
import { toastError } from '../../ui/toast.js';
import { counted, duration, percent } from '../../ui/words.js';
import { Curves } from './curves.js';
import { MoreLabels } from './more-labels.js';

const states = { training: 'training elsewhere', stopped: 'stopped', done: '', failed: 'failed' } as const;
const presetNames: Readonly<Record<string, string>> = { quick: 'Quick', best: 'Best', notebook: 'Notebook' };
const dates = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

export interface RunCardProps {
  readonly row: RunRow;
  /** Whether another one trains, so that none can go on. */
  readonly isBusy: boolean;
  readonly isOpen: boolean;
}

/** What came of a training. */
export function RunCard({ row, isBusy, isOpen }: RunCardProps) {
  const open = useSignal(isOpen);
  const { number, preset, state, startedAt, labels, estimate, labelsChanged, durationMs, reason } = row;
  const facts = [
    presetNames[preset] ?? preset,
    counted(labels, 'label'),
    durationMs !== undefined && duration(durationMs),
    startedAt && dates.format(new Date(startedAt)),
    states[state],
  ];
  return (
    <article class="card run" aria-label={`Training ${number}`}>
      <div class="run-head">
        <div>
          <h3>Training {number}</h3>
          <p class="small quiet-text number">{facts.filter(Boolean).join(' · ')}</p>
        </div>
        {estimate && (
          <div class="estimate">
            <p>
              <b class="number">{percent(estimate.accuracy, 1)}</b>{' '}
              <span class="small quiet-text number">
                {percent(estimate.low, 1)} to {percent(estimate.high, 1)}
              </span>
            </p>
            <Interval value={estimate.accuracy} low={estimate.low} high={estimate.high} />
          </div>
        )}
        {(state === 'stopped' || state === 'failed') && (
          <button
            type="button"
            class="button"
            disabled={isBusy}
            onClick={() => void runs.goOn(row.id).catch(toastError)}
          >
            Go on
          </button>
        )}
      </div>
      {state === 'stopped' && labelsChanged > 0 && (
        <p class="small quiet-text">
          It would go on with the {counted(labels, 'label')} that it began with;{' '}
          {counted(labelsChanged, 'label')} changed since.
        </p>
      )}
      {state === 'failed' && reason && <p class="train-failure">{reason}</p>}
      {state === 'done' && labelsChanged > 0 && (
        <p class="old-mark">
          {counted(labelsChanged, 'label')} changed since: train again to learn from{' '}
          {labelsChanged === 1 ? 'it' : 'them'}.
        </p>
      )}
      {state === 'done' && (
        <details
          open={open.value}
          onToggle={(event) => {
            open.value = event.currentTarget.open;
          }}
        >
          <summary>How it came about</summary>
          {open.value && <Detail row={row} />}
        </details>
      )}
    </article>
  );
}

function Detail({ row }: { readonly row: RunRow }) {
  const detail = useSignal<RunDetail | null>(null);
  const showsCurves = useSignal(false);
  useEffect(() => {
    runs.detail(row.id).then((found) => {
      detail.value = found;
    }, toastError);
  }, [row.id]);
  const found = detail.value;
  if (found === null) return <p class="quiet-text">Loading …</p>;
  const { steps, needs } = found;
  return (
    <div class="run-detail">
      {row.estimate && (
        <p class="small quiet-text">
          Right for {percent(row.estimate.accuracy, 1)} of images, as far as{' '}
          {counted(row.estimate.heldBack, 'label')} can tell, each of which was held back once by a training
          that was only tried.
        </p>
      )}
      {steps.length > 0 && (
        <section>
          <h4>What each step brought</h4>
          <table class="bars steps">
            <thead class="visually-hidden">
              <tr>
                <th scope="col">Step</th>
                <th scope="col">Share of held-back labels found</th>
                <th scope="col">As a number</th>
              </tr>
            </thead>
            <tbody>
              {steps.map(({ stage, title, accuracy, heldBack, isKept }) => (
                <tr key={`${stage} ${title}`}>
                  <th scope="row">
                    {title}
                    {isKept && ' '}
                    {isKept && <span class="kept">kept</span>}
                  </th>
                  <td class="bar">
                    <span data-kept={isKept} style={{ width: `${100 * accuracy}%` }} />
                  </td>
                  <td class="number" title={`of ${counted(heldBack, 'label')}`}>
                    {percent(accuracy, 1)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <MoreLabels run={row.id} needs={needs} />
      <section>
        <button
          type="button"
          class="button quiet"
          aria-expanded={showsCurves.value}
          onClick={() => {
            showsCurves.value = !showsCurves.value;
          }}
        >
          {showsCurves.value ? 'Hide the curves' : 'Show the curves'}
        </button>
        {showsCurves.value && <Curves runId={row.id} stage={null} />}
      </section>
    </div>
  );
}

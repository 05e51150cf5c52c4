import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { type RunRow, runs } from '../api/runs.js';
import { labels, studio, training } from '../store/studio.js';
import { toastError } from '../ui/toast.js';
import { NowTraining } from './train/now-training.js';
import { RunCard } from './train/run-card.js';
import { StartForm } from './train/start-form.js';

/** Learning from the labels: what is to be tried, what is going on, and what came of what was tried. */
export function Screen() {
  const rows = useSignal<readonly RunRow[] | null>(null);
  const load = (): void => void runs.all().then((found) => (rows.value = found), toastError);
  useSignalEffect(() => {
    studio.value?.runs;
    load();
  });
  // Labels that differ from those that a run learned are counted by the server.
  const seq = useComputed(() => labels.value?.seq);
  useSignalEffect(() => {
    seq.value;
    const later = setTimeout(load, 500);
    return () => clearTimeout(later);
  });
  const now = training.value;
  const isBusy = now !== null && now.phase !== 'failed';
  const done = rows.value?.filter(({ id }) => id !== now?.runId || !isBusy) ?? [];
  return (
    <div class="screen train-screen">
      <h1>Train</h1>
      {now !== null && isBusy ? <NowTraining now={now} key={now.runId} /> : <StartForm failed={now} />}
      {done.length > 0 && (
        <section class="runs" aria-labelledby="runs-title">
          <h2 id="runs-title">What was learned so far</h2>
          {done.map((row, i) => (
            <RunCard key={row.id} row={row} isBusy={isBusy} isOpen={i === 0} />
          ))}
        </section>
      )}
    </div>
  );
}

import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { type RunRow, runs } from '../api/runs.js';
import { addressOf, navigate, route } from '../shell/router.js';
import { labels, studio } from '../store/studio.js';
import { toastError } from '../ui/toast.js';
import { counted, percent } from '../ui/words.js';
import { ByClassView } from './explore/by-class-view.js';
import { CompareView } from './explore/compare-view.js';
import { ConfusionView } from './explore/confusion-view.js';
import { DuplicatesView } from './explore/duplicates-view.js';
import { MapView } from './explore/map-view.js';
import { DoubtsView, MistakesView } from './explore/queue-views.js';
import type { ExploreViewProps } from './explore/view-props.js';

const views: Readonly<
  Record<string, { readonly title: string; readonly View: ComponentType<ExploreViewProps> }>
> = {
  confusion: { title: 'Confusion', View: ConfusionView },
  mistakes: { title: 'Surest mistakes', View: MistakesView },
  doubted: { title: 'Doubtful labels', View: DoubtsView },
  classes: { title: 'By class', View: ByClassView },
  map: { title: 'Map', View: MapView },
  duplicates: { title: 'Near-duplicates', View: DuplicatesView },
  compare: { title: 'Two trainings', View: CompareView },
};

/** Where the classifier is wrong, and where the labels are. Every image can be labelled where it is shown. */
export function Screen() {
  const rows = useSignal<readonly RunRow[] | null>(null);
  useSignalEffect(() => {
    studio.value?.runs;
    labels.value?.seq;
    const later = setTimeout(
      () => {
        runs.all().then((found) => {
          rows.value = found;
        }, toastError);
      },
      rows.peek() === null ? 0 : 400,
    );
    return () => clearTimeout(later);
  });
  const { params } = route.value;
  if (rows.value === null) return null;
  const done = rows.value.filter(({ state }) => state === 'done');
  const run = done.find(({ id }) => id === params.run) ?? done[0];
  if (run === undefined) {
    return (
      <div class="notice">
        <h1>Nothing is learned yet</h1>
        <p>Here you see what a classifier takes images for, once there is one.</p>
        <p>
          <a class="button primary" href={addressOf('train')}>
            Train one
          </a>
        </p>
      </div>
    );
  }
  const name = params.view !== undefined && params.view in views ? params.view : 'confusion';
  const View = views[name]?.View;
  const withRun: Readonly<Record<string, string>> = run === done[0] ? {} : { run: run.id };
  return (
    <div class="explore-screen">
      <div class="explore-bar">
        <h1 class="visually-hidden">Explore</h1>
        <nav class="explore-views" aria-label="Ways to look">
          {Object.entries(views).map(([view, { title }]) => (
            <a
              key={view}
              href={addressOf('explore', { ...withRun, view })}
              aria-current={view === name ? 'page' : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        <label class="explore-run">
          <span class="visually-hidden">Training</span>
          <select
            class="field"
            value={run.id}
            onChange={(event) => navigate('explore', { view: name, run: event.currentTarget.value })}
          >
            {done.map(({ id, number, estimate }) => (
              <option key={id} value={id}>
                Training {number}
                {estimate && ` · ${percent(estimate.accuracy, 1)}`}
              </option>
            ))}
          </select>
        </label>
      </div>
      {run.labelsChanged > 0 && (
        <p class="old-mark small" role="status">
          {counted(run.labelsChanged, 'label')} changed since training {run.number}.{' '}
          <a href={addressOf('train')}>Train again</a> to learn from {run.labelsChanged === 1 ? 'it' : 'them'}
          .
        </p>
      )}
      {View && <View key={`${name} ${run.id}`} run={run} done={done} />}
    </div>
  );
}

import { signal, useSignal, useSignalEffect } from '@preact/signals';
import type { TrainingState } from '../../../server/runs/run-updates.js';
import { ask } from '../../api/client.js';
import { type PresetName, runs } from '../../api/runs.js';
import { addressOf } from '../../shell/router.js';
import { classes, imageCount, labels, studio } from '../../store/studio.js';
import { toastError } from '../../ui/toast.js';
import { counted, duration } from '../../ui/words.js';

const presets: Readonly<Record<PresetName, { readonly title: string; readonly says: string }>> = {
  quick: { title: 'Quick', says: 'A small network. Good for looking where labels are missing.' },
  best: { title: 'Best', says: 'A larger network that learns longer. For the classifier that you keep.' },
};

/** Minutes of a budget that are offered. */
const budgets = [2, 5, 15, 60, 240] as const;

interface Plan {
  readonly presets: readonly { readonly preset: PresetName; readonly ms: number }[];
}

export interface StartFormProps {
  /** The training that failed last, if it did just now. */
  readonly failed: TrainingState | null;
}

/** What was chosen last: it stands until the page is closed. */
const preset = signal<PresetName>('quick');
/** In minutes; null: as long as it takes. */
const budget = signal<number | null>(null);

/** Which way to learn, and how long it may take. */
export function StartForm({ failed }: StartFormProps) {
  const isStarting = useSignal(false);
  const plan = useSignal<Plan['presets']>([]);
  useSignalEffect(() => {
    // It is found out by measuring, and told when it is.
    studio.value?.looks;
    ask<Partial<Plan>>('/api/plan').then(
      (found) => {
        plan.value = found.presets ?? [];
      },
      () => {},
    );
  });
  const withLabels = classes.value.filter(({ count }) => count > 0).length;
  const start = async (): Promise<void> => {
    isStarting.value = true;
    try {
      const minutes = budget.value;
      await runs.start({ preset: preset.value, ...(minutes !== null && { budgetMinutes: minutes }) });
    } catch (error) {
      toastError(error);
    } finally {
      isStarting.value = false;
    }
  };
  const expected = plan.value.find((each) => each.preset === preset.value)?.ms;
  return (
    <form
      class="card start-form"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      {failed?.error && (
        <div class="train-failure row" role="alert">
          <p>
            {(failed.error.message ?? '').replace(/\.$/, '')}. {failed.error.hint}
          </p>
          <button type="button" class="button quiet" onClick={() => void runs.stop().catch(toastError)}>
            Close
          </button>
        </div>
      )}
      <fieldset class="presets">
        <legend>How thoroughly</legend>
        {(Object.keys(presets) as PresetName[]).map((name) => {
          const ms = plan.value.find((each) => each.preset === name)?.ms;
          return (
            <label key={name} class="preset">
              <input
                type="radio"
                name="preset"
                checked={preset.value === name}
                onChange={() => (preset.value = name)}
              />
              <span>
                <b>{presets[name].title}</b>
                {ms !== undefined && <span class="number quiet-text"> · about {duration(ms)}</span>}
                <span class="small quiet-text preset-says">{presets[name].says}</span>
              </span>
            </label>
          );
        })}
      </fieldset>
      <label class="budget">
        <span>Time</span>
        <select
          class="field"
          value={budget.value ?? ''}
          onChange={(event) => {
            budget.value = event.currentTarget.value === '' ? null : Number(event.currentTarget.value);
          }}
        >
          <option value="">
            As long as it needs{expected !== undefined ? `: about ${duration(expected)}` : ''}
          </option>
          {budgets.map((minutes) => (
            <option key={minutes} value={minutes}>
              About {duration(minutes * 60_000)}
            </option>
          ))}
        </select>
      </label>
      <div class="row">
        <button type="submit" class="button primary" disabled={isStarting.value || withLabels < 2}>
          {isStarting.value ? 'Starting …' : 'Train'}
        </button>
        <p class="small quiet-text">
          {withLabels < 2 ? (
            <>
              Two classes with labels at least are needed. <a href={addressOf('label')}>Label some images.</a>
            </>
          ) : (
            `From ${counted(labels.value?.labelled ?? 0, 'label')} of ${counted(withLabels, 'class', 'classes')}, and all ${counted(imageCount.value, 'image')}. You can go on labelling meanwhile.`
          )}
        </p>
      </div>
    </form>
  );
}

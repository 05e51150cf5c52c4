import { navigate, route } from '../../shell/router.js';
import { hasPredictions, type ImageQueue } from '../../store/image-queue.js';
import { classes, imageCount, labels } from '../../store/studio.js';
import { Icon } from '../../ui/icon.js';
import { count } from '../../ui/words.js';
import { AcceptButton } from './accept-dialog.js';

export interface QueueBarProps {
  readonly queue: ImageQueue;
  readonly view: 'one' | 'grid';
  readonly show: (view: 'one' | 'grid') => void;
  readonly takeAnew: () => void;
}

const views = [
  { view: 'one', icon: 'image', name: 'One at a time' },
  { view: 'grid', icon: 'grid', name: 'Grid' },
] as const;

/** Which images, and how they are shown. */
export function QueueBar({ queue, view, show, takeAnew }: QueueBarProps) {
  const facts = labels.value;
  if (facts === null) return null;
  const isPredicted = hasPredictions.value;
  const { labelled, skipped, unsure } = facts;
  const queues = [
    ['suggested', 'Suggested', null],
    ['unlabelled', 'Unlabelled', imageCount.value - labelled - skipped - unsure],
    ...(isPredicted ? ([['doubted', 'Labels in doubt', null]] as const) : []),
    ['unsure', 'Unsure', unsure],
    ['skipped', 'Skipped', skipped],
    ['labelled', 'Labelled', labelled],
    ['all', 'All', imageCount.value],
  ] as const;
  return (
    <div class="queue-bar">
      <label>
        <span class="visually-hidden">Which images</span>
        <select
          class="field"
          value={queue.name}
          onChange={(event) =>
            navigate('label', { ...route.value.params, queue: event.currentTarget.value, view })
          }
        >
          {queues.map(([name, title, of]) => (
            <option key={name} value={name}>
              {of === null ? title : `${title} (${count(of)})`}
            </option>
          ))}
          {isPredicted && (
            <optgroup label="Without a label, taken for">
              {classes.value.map(({ id, name }) => (
                <option key={id} value={`predicted:${id}`}>
                  {name}
                </option>
              ))}
            </optgroup>
          )}
          {classes.value.length > 0 && (
            <optgroup label="Labelled as">
              {classes.value.map(({ id, name, count: of }) => (
                <option key={id} value={`class:${id}`}>
                  {name} ({count(of)})
                </option>
              ))}
            </optgroup>
          )}
        </select>
      </label>
      <button type="button" class="button" title="Take the list as it is now (Shift+R)" onClick={takeAnew}>
        <Icon name="refresh" />
        <span class="wide-only">Refresh</span>
      </button>
      {isPredicted && <AcceptButton />}
      <fieldset class="segments">
        <legend class="visually-hidden">How they are shown</legend>
        {views.map((each) => (
          <button
            key={each.view}
            type="button"
            aria-pressed={view === each.view}
            title={`${each.name} (Shift+G)`}
            onClick={() => show(each.view)}
          >
            <Icon name={each.icon} />
            <span class="wide-only">{each.name}</span>
          </button>
        ))}
      </fieldset>
    </div>
  );
}

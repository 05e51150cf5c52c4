import { useComputed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { studio } from '../../store/studio.js';
import { Icon } from '../../ui/icon.js';
import { useQueue } from '../../ui/use-queue.js';
import { counted } from '../../ui/words.js';
import { GridView } from '../label/grid-view.js';

export interface ImageListProps {
  readonly queue: string;
  readonly title: ComponentChildren;
  /** For those who do not see it. */
  readonly label: string;
  /** Said where there are no images. */
  readonly empty: string;
  /** How many there are now; where the list has another count, it can be made anew. */
  readonly countNow?: number | undefined;
}

/** The images of a queue, to be looked at and labelled in place. What is labelled stays until the list is made anew. */
export function ImageList({ queue: name, title, label, empty, countNow }: ImageListProps) {
  const queue = useQueue(name);
  const looks = useComputed(() => studio.value?.looks ?? 0);
  useEffect(() => {
    if (queue.total.peek() === 0) queue.refresh();
  }, [looks.value]);
  const total = queue.total.value;
  const isOld = countNow !== undefined && total !== null && countNow !== total;
  return (
    <section class="explore-list" aria-label={label}>
      <div class="explore-list-head">
        <h2>{title}</h2>
        <span class="quiet-text number" role="status">
          {total !== null && counted(total, 'image')}
        </span>
        <button
          type="button"
          class={isOld ? 'button' : 'button quiet'}
          onClick={() => queue.refresh()}
          title="Leave out what does not belong here any more"
        >
          <Icon name="refresh" />
          {isOld ? `Refresh: ${countNow} now` : 'Refresh'}
        </button>
      </div>
      {total === 0 ? (
        <p class="explore-empty quiet-text">{empty}</p>
      ) : (
        <GridView queue={queue} label={label} onOpen={() => {}} />
      )}
    </section>
  );
}

import { useComputed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { QueueImage } from '../../store/image-queue.js';
import { judge } from '../../store/labelling.js';
import { classes, studio } from '../../store/studio.js';
import { useChoice } from '../../ui/choice.js';
import { Icon } from '../../ui/icon.js';
import { Key } from '../../ui/key-help.js';
import { useKeys } from '../../ui/keys.js';
import { showLarge } from '../../ui/large-picture.js';
import { toast } from '../../ui/toast.js';
import { useQueue } from '../../ui/use-queue.js';
import { counted, percent } from '../../ui/words.js';
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
  const choice = useChoice(queue);
  const looks = useComputed(() => studio.value?.looks ?? 0);
  useEffect(() => {
    if (queue.total.peek() === 0) queue.refresh();
  }, [looks.value]);
  /** The label that is meant, for the image that keys speak of. */
  const accept = (): void => {
    const image = queue.now(choice.active.value);
    const said = image && suggestionOf(image);
    if (image === undefined || said === undefined) return;
    if (classes.value.some(({ id }) => id === said)) void judge([image.id], { class: said });
    else toast('The class that it takes it for is not there any more.');
  };
  useKeys('Explore', [{ key: 'Enter', says: 'Label it as the classifier says', run: accept }]);
  const openLarge = (index: number): void => {
    const image = queue.now(index);
    if (image) showLarge(image);
  };
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
          class="button quiet"
          onClick={accept}
          disabled={choice.selection.value.count === 0}
          title="Label the chosen image as the classifier says"
        >
          Take its word <Key name="Enter" />
        </button>
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
        <GridView {...{ queue, label, choice }} caption={captionOf} onOpen={openLarge} openKey="shift+v" />
      )}
    </section>
  );
}

/** Id of the class that is meant: of a doubted label the other one, else what the image is taken for. */
function suggestionOf({ reason, prediction }: QueueImage): string | undefined {
  return reason?.kind === 'doubted' ? reason.suggested.id : prediction?.class;
}

/** What the classifier says of an image, in a line. */
export function captionOf({
  reason,
  prediction,
  other,
}: Pick<QueueImage, 'reason' | 'prediction' | 'other'>): string | undefined {
  // The number first: of a long name the end is cut.
  if (reason?.kind === 'doubted') return `${percent(reason.wrong)} rather ${reason.suggested.name}`;
  if (prediction && other) {
    return `${percent(prediction.probability)} ${prediction.name}, ${percent(other.probability)} ${other.name}`;
  }
  return prediction && `${percent(prediction.probability)} ${prediction.name}`;
}

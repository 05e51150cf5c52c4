import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ImageQueue, type QueueImage } from '../../store/image-queue.js';
import { labelGroups, undo } from '../../store/labelling.js';
import { classes } from '../../store/studio.js';
import { ClassMark } from '../../ui/class-mark.js';
import { Dialog, DialogButtons } from '../../ui/dialog.js';
import { Icon } from '../../ui/icon.js';
import { Prediction } from '../../ui/image-notes.js';
import { TilePicture } from '../../ui/tile-picture.js';
import { toast, toastError } from '../../ui/toast.js';
import { count, counted, percent } from '../../ui/words.js';

/** What is accepted at most: a person looks at the weakest ones, and what is surer is believed. */
const usualThreshold = 0.95;
/** Weakest examples that are shown: two rows. */
const examples = 12;

/** The predictions of a class that are sure enough: the first ones of its queue, the surest first. */
interface Group {
  readonly class: string;
  readonly queue: ImageQueue;
  readonly accepted: number;
  readonly weakest: readonly QueueImage[];
}

/** Lets what the model is sure of become labels. */
export function AcceptButton() {
  const isOpen = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="button"
        onClick={() => {
          isOpen.value = true;
        }}
      >
        <Icon name="check" />
        Accept predictions …
      </button>
      {isOpen.value && (
        <AcceptDialog
          onClose={() => {
            isOpen.value = false;
          }}
        />
      )}
    </>
  );
}

function AcceptDialog({ onClose }: { readonly onClose: () => void }) {
  const threshold = useSignal(usualThreshold);
  const groups = useGroups(threshold);
  const total = groups?.reduce((sum, { accepted }) => sum + accepted, 0) ?? 0;
  const weakest = (groups ?? [])
    .flatMap((group) => group.weakest)
    .sort((a, b) => (a.prediction?.probability ?? 0) - (b.prediction?.probability ?? 0))
    .slice(0, examples);
  const accept = async (): Promise<void> => {
    onClose();
    const found = (groups ?? []).map(async ({ class: id, queue, accepted }) => ({
      class: id,
      images: await queue.ids([[0, accepted]]),
    }));
    if (!(await labelGroups(await Promise.all(found)))) return;
    toast(`${counted(total, 'prediction')} accepted`, { action: { name: 'Undo', run: () => void undo() } });
  };
  return (
    <Dialog
      title="Accept predictions"
      size="wide"
      onClose={onClose}
      buttons={
        <DialogButtons
          onCancel={onClose}
          isDisabled={total === 0}
          onDo={() => void accept().catch(toastError)}
        >
          Label {counted(total, 'image')}
        </DialogButtons>
      }
    >
      <label class="threshold">
        <span>
          The model is sure with at least <b class="number">{percent(threshold.value)}</b>
        </span>
        <input
          type="range"
          autofocus
          min="50"
          max="100"
          value={Math.round(threshold.value * 100)}
          onInput={({ currentTarget }) => {
            threshold.value = Number(currentTarget.value) / 100;
          }}
        />
      </label>
      <ul class="accept-counts">
        {groups?.map(({ class: id, accepted }) => (
          <li key={id}>
            <ClassMark label={id} /> <span class="number">{count(accepted)}</span>
          </li>
        ))}
      </ul>
      <h3>{weakest.length > 0 ? 'The least sure of them' : groups ? 'None is so sure.' : 'Counting …'}</h3>
      <ul class="weakest">
        {weakest.map((image) => (
          <li key={image.id} class="tile">
            <TilePicture id={image.id} alt={image.name} />
            {image.prediction && <Prediction {...image.prediction} />}
          </li>
        ))}
      </ul>
      <p class="quiet-text small">All of it is one step: one undo takes it back.</p>
    </Dialog>
  );
}

/** Undefined until they are counted. */
function useGroups(threshold: Signal<number>): readonly Group[] | undefined {
  const found = useSignal<readonly Group[] | undefined>(undefined);
  const queues = useMemo(
    () => classes.value.map(({ id }) => ({ id, queue: new ImageQueue(`predicted:${id}`) })),
    [],
  );
  useEffect(() => () => queues.forEach(({ queue }) => void queue.close()), [queues]);
  const least = threshold.value;
  useEffect(() => {
    let isCurrent = true;
    const all = queues.map(async ({ id, queue }): Promise<Group> => {
      const accepted = await countAtLeast(queue, least);
      const last = Array.from({ length: Math.min(examples, accepted) }, (_, i) =>
        queue.load(accepted - 1 - i),
      );
      const weakest = (await Promise.all(last)).filter((image) => image !== undefined);
      return { class: id, queue, accepted, weakest };
    });
    Promise.all(all).then((groups) => {
      if (isCurrent) found.value = groups;
    }, toastError);
    return () => {
      isCurrent = false;
    };
  }, [least, queues]);
  return found.value;
}

/** How many of a queue are at least so sure; they come first. */
async function countAtLeast(queue: ImageQueue, least: number): Promise<number> {
  await queue.load(0);
  let [low, high] = [0, queue.total.peek() ?? 0];
  while (low < high) {
    const middle = (low + high) >> 1;
    const image = await queue.load(middle);
    if ((image?.prediction?.probability ?? 0) >= least) low = middle + 1;
    else high = middle;
  }
  return low;
}

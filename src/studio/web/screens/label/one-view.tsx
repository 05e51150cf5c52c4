import { type Signal, signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { imageAddress } from '../../api/client.js';
import { addressOf } from '../../shell/router.js';
import { labelOf } from '../../store/image-labels.js';
import type { ImageQueue, QueueImage } from '../../store/image-queue.js';
import { judge, undone, type Verdict } from '../../store/labelling.js';
import { ClassMark } from '../../ui/class-mark.js';
import { Icon } from '../../ui/icon.js';
import { Prediction, reasonWords, verdictOf } from '../../ui/image-notes.js';
import { Key } from '../../ui/key-help.js';
import { useKeys } from '../../ui/keys.js';
import { labelKeys } from '../../ui/label-keys.js';
import { toast } from '../../ui/toast.js';
import { count } from '../../ui/words.js';
import { Filmstrip } from './filmstrip.js';
import { Palette } from './palette.js';
import { usePrefetch } from './prefetch.js';

export interface OneViewProps {
  readonly queue: ImageQueue;
  /** Of the image that is shown; as many as there are: behind the last one. */
  readonly place: Signal<number>;
  readonly takeAnew: () => void;
}

/** One image, large, and all that can be said of it; whoever says something gets the next one. */
export function OneView({ queue, place, takeAnew }: OneViewProps) {
  const total = queue.total.value;
  const image = queue.at(place.value);
  usePrefetch(queue, place.value);

  const move = (by: number): void => {
    if (total !== null) place.value = Math.max(0, Math.min(total, place.value + by));
  };
  const say = (verdict: Verdict): void => {
    const now = queue.now(place.value);
    if (now === undefined) {
      toast(
        queue.isPending.peek() ? 'No image is shown yet: nothing was labelled.' : 'No image is shown here.',
      );
      return;
    }
    void judge([now.id], verdict);
    if (!('clear' in verdict)) move(1);
  };
  const accept = (): void => {
    const prediction = queue.now(place.value)?.prediction;
    if (prediction) say(verdictOf(prediction));
  };
  useUndoneShown(queue, place);
  useKeys('One image', [
    ...labelKeys(say),
    { key: 'Enter', says: 'It is what the model takes it for', run: accept },
    { key: 'ArrowLeft', says: 'The one before', run: () => move(-1) },
    { key: 'ArrowRight', says: 'The next one', run: () => move(1) },
    { key: 'Home', says: 'The first one', run: () => move(-Number.MAX_SAFE_INTEGER) },
    { key: 'End', says: 'The last one', run: () => move((total ?? 0) - 1 - place.value) },
  ]);
  if (total === null) return <p class="notice">Loading …</p>;
  return (
    <div class="one-view">
      <div class="stage">
        {queue.isPending.value ? (
          <Pending />
        ) : image ? (
          <Picture key={image.id} accept={accept} image={image} place={place.value} total={total} />
        ) : place.value >= total ? (
          <AtEnd isEmpty={total === 0} takeAnew={takeAnew} />
        ) : null}
        <div class="step-buttons">
          <button
            type="button"
            class="icon-button"
            aria-label="The one before"
            disabled={place.value === 0}
            onClick={() => move(-1)}
          >
            <Icon name="left" />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="The next one"
            disabled={place.value >= total}
            onClick={() => move(1)}
          >
            <Icon name="right" />
          </button>
        </div>
      </div>
      <Palette judge={say} label={image ? labelOf(image.id) : null} />
      <Filmstrip queue={queue} place={place} />
    </div>
  );
}

/** Pixels of the longer side below which a picture is not shown as large as there is room. */
const tinySide = 100;
/** Pictures of a pile are mostly alike: the next one is taken to be as the last one was, until it is there. */
const isTiny = signal(false);

interface PictureProps {
  readonly image: QueueImage;
  readonly accept: () => void;
  readonly place: number;
  readonly total: number;
}

function Picture({ image, accept, place, total }: PictureProps) {
  const label = labelOf(image.id);
  const isLoaded = useSignal(false);
  return (
    <figure class="picture">
      <div class="picture-frame" data-tiny={isTiny.value || undefined}>
        {/* What the model sees is there first. It is a square, beside which a picture of other proportions shows no more of it. */}
        {!isLoaded.value && <img class="picture-small" src={imageAddress(image.id, 'small')} alt="" />}
        <img
          class="picture-view"
          src={imageAddress(image.id, 'view')}
          alt={image.name}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
            isLoaded.value = true;
            isTiny.value = Math.max(naturalWidth, naturalHeight) < tinySide;
          }}
        />
      </div>
      <figcaption>
        <span class="number quiet-text">
          {count(place + 1)} of {count(total)}
        </span>
        <span class="path">{image.name}</span>
        {label !== null && <ClassMark label={label} />}
      </figcaption>
      <div class="notes">
        {image.prediction && label !== image.prediction.class && (
          <button type="button" class="button small" onClick={accept}>
            <Prediction {...image.prediction} />
            <Key name="Enter" />
          </button>
        )}
        {image.reason && <span class="quiet-text">{reasonWords(image.reason)}</span>}
      </div>
    </figure>
  );
}

/** Until it is found out which images teach most. */
function Pending() {
  return (
    <div class="notice" role="status">
      <h2>Looking for the images that teach most</h2>
      <p>
        Labels teach more on images that stand for many others. To find them takes half a minute for some
        thousand images; they are shown as soon as they are there.
      </p>
      <div>
        <a class="button" href={addressOf('label', { queue: 'unlabelled' })}>
          Label in the order of the folder meanwhile
        </a>
      </div>
    </div>
  );
}

function AtEnd({ isEmpty, takeAnew }: { readonly isEmpty: boolean; readonly takeAnew: () => void }) {
  return (
    <div class="notice">
      <h2>{isEmpty ? 'There is no image in this list' : 'That was the last one of this list'}</h2>
      <p>What belongs to it now is shown once you refresh it.</p>
      <div>
        <button type="button" class="button primary" onClick={takeAnew}>
          <Icon name="refresh" />
          Refresh the list
        </button>
      </div>
    </div>
  );
}

/** What is undone is looked at again. */
function useUndoneShown(queue: ImageQueue, place: Signal<number>): void {
  const seen = useRef(undone.peek());
  useSignalEffect(() => {
    const images = undone.value;
    if (images === seen.current) return;
    seen.current = images;
    const [only, ...others] = images ?? [];
    const found = only === undefined || others.length > 0 ? undefined : queue.placeOf(only);
    if (found !== undefined) place.value = found;
  });
  // Of another queue, another effect.
  useEffect(() => {
    seen.current = undone.peek();
  }, [queue]);
}

import type { Signal } from '@preact/signals';
import { labelOf } from '../../store/image-labels.js';
import type { ImageQueue, QueueImage } from '../../store/image-queue.js';
import { classes } from '../../store/studio.js';
import { Glyph, nameOf } from '../../ui/class-mark.js';
import { TilePicture } from '../../ui/tile-picture.js';

/** On either side of the image that is shown; a wide window has room for so many. */
const beside = 12;

/** The images around the one that is shown, with what they are. */
export function Filmstrip({ queue, place }: { readonly queue: ImageQueue; readonly place: Signal<number> }) {
  const total = queue.total.value ?? 0;
  const indices = Array.from({ length: 2 * beside + 1 }, (_, i) => place.value - beside + i);
  return (
    <ol class="filmstrip" aria-label="Images around this one">
      {indices.map((index) => {
        const image = index < 0 || index >= total ? undefined : queue.at(index);
        return (
          <li key={index} data-current={index === place.value || undefined}>
            {image && (
              <Frame
                image={image}
                isCurrent={index === place.value}
                onShow={() => {
                  place.value = index;
                }}
              />
            )}
          </li>
        );
      })}
    </ol>
  );
}

interface FrameProps {
  readonly image: QueueImage;
  readonly isCurrent: boolean;
  readonly onShow: () => void;
}

/** Arrows come to each; the Tab key has not to. */
function Frame({ image, isCurrent, onShow }: FrameProps) {
  const label = labelOf(image.id);
  const found = classes.value.find(({ id }) => id === label);
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-current={isCurrent || undefined}
      aria-label={[image.name, nameOf(label) ?? 'no label'].join(', ')}
      onClick={(event) => {
        event.currentTarget.blur();
        onShow();
      }}
    >
      <TilePicture id={image.id} />
      {found ? (
        <Glyph id={found.id} colour={found.colour} />
      ) : (
        label !== null && <span class="glyph" data-shape={label} aria-hidden="true" />
      )}
    </button>
  );
}

import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { labelOf } from '../store/image-labels.js';
import { judge } from '../store/labelling.js';
import { wantClass } from './class-finder.js';
import { ClassMark, nameOf } from './class-mark.js';
import { useKeys } from './keys.js';
import { labelKeys } from './label-keys.js';
import { showLarge } from './large-picture.js';
import { TilePicture } from './tile-picture.js';

export interface StripImage {
  readonly id: string;
  /** A line below the picture. */
  readonly caption?: string | undefined;
}

export interface ImageStripProps {
  readonly images: readonly StripImage[];
  /** For those who do not see it. */
  readonly label: string;
  /** Whether one label fits all of them. Default: false. */
  readonly isGroup?: boolean;
}

/** A few images in a row, each of which can be labelled in place: by its key while it has the focus, or by a click. */
export function ImageStrip({ images, label, isGroup }: ImageStripProps) {
  const active = useSignal(0);
  const hasFocus = useSignal(false);
  const id = useId();
  const now = images[Math.min(active.value, images.length - 1)];
  useKeys(
    `Images: ${label}`,
    hasFocus.value && now ? labelKeys((verdict) => void judge([now.id], verdict)) : [],
  );
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = {
      ArrowRight: active.value + 1,
      ArrowLeft: active.value - 1,
      Home: 0,
      End: images.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    active.value = Math.max(0, Math.min(images.length - 1, to));
  };
  return (
    <div class="image-strip">
      <div
        class="strip-images"
        role="listbox"
        tabIndex={0}
        aria-label={label}
        aria-orientation="horizontal"
        aria-activedescendant={now && `${id}-${now.id}`}
        onFocus={() => {
          hasFocus.value = true;
        }}
        onBlur={() => {
          hasFocus.value = false;
        }}
        onKeyDown={onKeyDown}
      >
        {images.map((image, i) => {
          const labelled = labelOf(image.id);
          return (
            <div
              key={image.id}
              id={`${id}-${image.id}`}
              class="strip-image"
              role="option"
              aria-selected={image === now}
              aria-label={[nameOf(labelled) ?? 'no label', image.caption].filter(Boolean).join(', ')}
              onClick={() => {
                active.value = i;
              }}
              onDblClick={() => showLarge(image)}
            >
              <TilePicture id={image.id} />
              {labelled !== null && <ClassMark label={labelled} />}
              {image.caption && <span class="small quiet-text">{image.caption}</span>}
            </div>
          );
        })}
      </div>
      {now && (
        <button
          type="button"
          class="button quiet"
          onClick={() =>
            wantClass({ title: 'Label of the framed image', take: (found) => void judge([now.id], found) })
          }
        >
          Change the label of the framed image …
        </button>
      )}
      {isGroup && (
        <button
          type="button"
          class="button quiet"
          onClick={() =>
            wantClass({
              title: `Label of all ${images.length}`,
              take: (found) =>
                void judge(
                  images.map((image) => image.id),
                  found,
                ),
            })
          }
        >
          Label all {images.length} of them …
        </button>
      )}
    </div>
  );
}

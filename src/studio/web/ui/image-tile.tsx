import { labelOf } from '../store/image-labels.js';
import type { QueueImage } from '../store/image-queue.js';
import { ClassMark, nameOf } from './class-mark.js';
import { Prediction } from './image-notes.js';
import { TilePicture } from './tile-picture.js';
import type { TilePlace } from './virtual-grid.js';

export interface ImageTileProps {
  readonly index: number;
  readonly total: number;
  readonly place: TilePlace;
  /** Undefined until it is loaded. */
  readonly image: QueueImage | undefined;
  /** A line below it; default: none. */
  readonly caption?: ((image: QueueImage) => string | undefined) | undefined;
  readonly isSelected: boolean;
  readonly isActive: boolean;
}

/** An image in a grid, with its label. */
export function ImageTile({ index, total, place, image, caption, isSelected, isActive }: ImageTileProps) {
  const label = image === undefined ? null : labelOf(image.id);
  const below = image && caption?.(image);
  const said = image && [image.name, nameOf(label) ?? 'no label', below].filter(Boolean).join(', ');
  return (
    <div
      id={place.id}
      class="tile"
      style={place.style}
      role="option"
      aria-selected={isSelected}
      aria-setsize={total}
      aria-posinset={index + 1}
      aria-label={said ?? 'Loading'}
      title={image?.name}
      data-index={index}
      data-active={isActive || undefined}
      data-captioned={caption !== undefined || undefined}
    >
      {image && <TilePicture id={image.id} isSeen={!place.isSpare} />}
      {label !== null ? (
        <ClassMark label={label} />
      ) : (
        !caption && image?.prediction && <Prediction {...image.prediction} />
      )}
      {/* Words that stand beside each other are two words to a screen reader, too. */}
      {caption && ' '}
      {caption && <span class="tile-caption">{below}</span>}
    </div>
  );
}

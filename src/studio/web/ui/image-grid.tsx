import { useCallback, useEffect } from 'preact/hooks';
import type { ImageList } from '../store/id-list.js';
import type { QueueImage } from '../store/image-queue.js';
import { type Choice, useChoice } from './choice.js';
import { ImageTile } from './image-tile.js';
import { useKeys } from './keys.js';
import { labelKeys } from './label-keys.js';
import { Selection } from './selection.js';
import { VirtualGrid } from './virtual-grid.js';
import { counted } from './words.js';

export interface ImageGridProps {
  readonly queue: ImageList;
  /** For those who do not see it. */
  readonly label: string;
  /** Default: its own. Whoever gives one can label what is chosen by other means than keys. */
  readonly choice?: Choice;
  /** Least width of a tile in pixels. Default: 104, some hundred in a window. */
  readonly tileWidth?: number;
  /** A line below each image. Default: none. */
  readonly caption?: ((image: QueueImage) => string | undefined) | undefined;
  /** A tile was opened, by a key or a double click. */
  readonly onOpen?: (index: number) => void;
  /** Default: `Enter`. */
  readonly openKey?: string;
}

/** Of a line of small text. */
const captionHeight = 22;

/**
 * The images of a queue, any number of which are chosen and labelled at once: by mouse and keys as files are chosen in a folder.
 * What is labelled stays where it is.
 */
export function ImageGrid({
  queue,
  label,
  tileWidth = 104,
  caption,
  onOpen,
  openKey = 'Enter',
  ...given
}: ImageGridProps) {
  const own = useChoice(queue);
  const { active, selection, choose, toggle, judge } = given.choice ?? own;
  const total = queue.total.value ?? 0;
  useKeys('Grid', [
    ...labelKeys((verdict) => void judge(verdict)),
    {
      key: 'mod+a',
      says: 'Choose all',
      run: () => {
        selection.value = Selection.none.with([0, total]);
      },
    },
    {
      key: 'Escape',
      says: 'Choose none',
      run: () => {
        selection.value = Selection.none;
      },
    },
    { key: 'mod+Space', says: 'Choose one more, or one less', run: () => toggle(active.value) },
    { key: 'shift+ArrowRight', says: 'Choose up to here' },
    ...(onOpen ? [{ key: openKey, says: 'Look at it', run: () => onOpen(active.value) }] : []),
  ]);
  const onMove = (to: number, event: KeyboardEvent): void => {
    // As in a folder: with Ctrl, only the place moves.
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey) active.value = to;
    else choose(to, event);
  };
  const indexAt = (event: MouseEvent): number | undefined => {
    const tile = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-index]') : null;
    return tile === null ? undefined : Number(tile.dataset.index);
  };
  // The last row is one key away.
  useEffect(() => queue.want(total - 1, total - 1), [queue, total]);
  const onWindow = useCallback((from: number, to: number) => queue.want(from, to), [queue]);
  return (
    <div
      class="image-grid"
      onClick={(event) => {
        const index = indexAt(event);
        if (index !== undefined) choose(index, event);
      }}
      onDblClick={(event) => {
        const index = indexAt(event);
        if (index !== undefined) onOpen?.(index);
      }}
    >
      <VirtualGrid
        count={total}
        label={label}
        tileWidth={tileWidth}
        captionHeight={caption ? captionHeight : 0}
        active={active}
        onWindow={onWindow}
        onMove={onMove}
        tile={(index, place) => (
          <ImageTile
            key={index}
            {...{ index, total, place }}
            image={queue.at(index)}
            caption={caption}
            isSelected={selection.value.has(index)}
            isActive={active.value === index}
          />
        )}
      />
      <p class="chosen" role="status">
        {selection.value.count > 0 && `${counted(selection.value.count, 'image')} chosen`}
      </p>
    </div>
  );
}

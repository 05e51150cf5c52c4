import { useSignal } from '@preact/signals';
import { useCallback, useRef } from 'preact/hooks';
import type { ImageQueue } from '../store/image-queue.js';
import { judge, undo, type Verdict } from '../store/labelling.js';
import { nameOf } from './class-mark.js';
import { ImageTile } from './image-tile.js';
import { useKeys } from './keys.js';
import { labelKeys } from './label-keys.js';
import { Selection } from './selection.js';
import { toast } from './toast.js';
import { VirtualGrid } from './virtual-grid.js';
import { counted } from './words.js';

export interface ImageGridProps {
  readonly queue: ImageQueue;
  /** For those who do not see it. */
  readonly label: string;
  /** Least width of a tile in pixels. Default: 104, some two hundred in a window. */
  readonly tileWidth?: number;
  /** A tile was opened, by Enter or a double click. */
  readonly onOpen?: (index: number) => void;
}

/**
 * The images of a queue, any number of which are chosen and labelled at once: by mouse and keys as files are chosen in a folder. What is
 * labelled stays where it is.
 */
export function ImageGrid({ queue, label, tileWidth = 104, onOpen }: ImageGridProps) {
  const active = useSignal(0);
  const selection = useSignal(Selection.none);
  /** Where a range begins. */
  const anchor = useRef(0);
  const total = queue.total.value ?? 0;

  const choose = (index: number, { shiftKey, ctrlKey, metaKey }: MouseEvent | KeyboardEvent): void => {
    const isAdding = ctrlKey || metaKey;
    if (shiftKey) {
      const range = [Math.min(anchor.current, index), Math.max(anchor.current, index) + 1] as const;
      selection.value = (isAdding ? selection.value : Selection.none).with(range);
    } else {
      selection.value = isAdding ? selection.value.toggled(index) : Selection.none.with([index, index + 1]);
      anchor.current = index;
    }
    active.value = index;
  };
  const judgeChosen = async (verdict: Verdict): Promise<void> => {
    const { ranges, count } = selection.value;
    if (count === 0) return;
    const isDone = judge(await queue.ids(ranges), verdict);
    if ((await isDone) && count > 1) {
      toast(`${counted(count, 'image')}: ${wordsOf(verdict)}`, {
        action: { name: 'Undo', run: () => void undo() },
      });
    }
  };
  useKeys('Grid', [
    ...labelKeys((verdict) => void judgeChosen(verdict)),
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
    {
      key: 'mod+Space',
      says: 'Choose one more',
      run: () => {
        selection.value = selection.value.toggled(active.value);
        anchor.current = active.value;
      },
    },
    ...(onOpen ? [{ key: 'Enter', says: 'Look at it', run: () => onOpen(active.value) }] : []),
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
        active={active}
        onWindow={onWindow}
        onMove={onMove}
        tile={(index, place) => (
          <ImageTile
            key={index}
            {...{ index, total, place }}
            image={queue.at(index)}
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

function wordsOf(verdict: Verdict): string {
  if ('clear' in verdict) return 'no label';
  if ('newClass' in verdict) return verdict.newClass;
  return nameOf('mark' in verdict ? verdict.mark : verdict.class) ?? '';
}

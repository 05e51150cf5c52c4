import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

/** Where a tile stands, in pixels within the grid. */
export interface TilePlace {
  /** For the grid, which names the active one by it. */
  readonly id: string;
  /** Whether it is in a spare row, which nobody sees yet. */
  readonly isSpare: boolean;
  readonly style: { readonly transform: string; readonly width: string; readonly height: string };
}

export interface VirtualGridProps {
  readonly count: number;
  /** For those who do not see it. */
  readonly label: string;
  /** Least width of a tile; tiles share what a row has. */
  readonly tileWidth: number;
  /** Added to the width of a tile: a line of text below the picture. Default: none. */
  readonly captionHeight?: number;
  /** The tile that keys speak of; when it changes, it is scrolled to. */
  readonly active: Signal<number>;
  readonly tile: (index: number, place: TilePlace) => ComponentChildren;
  /** Told which tiles are about to be shown. */
  readonly onWindow?: (from: number, to: number) => void;
  /** A key that moves: to which tile. */
  readonly onMove?: (to: number, event: KeyboardEvent) => void;
}

const gap = 6;
/** Rows above and below what is seen, so that a scroll of a few rows shows no gap. */
const spareRows = 2;

interface Layout {
  readonly columns: number;
  readonly width: number;
  readonly rowHeight: number;
  readonly viewHeight: number;
}

/**
 * A grid of any number of tiles, of which those stand in the page that are seen: a few hundred elements for 100,000 images.
 *
 * Arrows, Page Up, Page Down, Home and End move the active tile. Nothing but them and the person scrolls.
 */
export function VirtualGrid(props: VirtualGridProps) {
  const { count, label, tileWidth, captionHeight = 0, active, tile, onWindow, onMove } = props;
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const layout = useSignal<Layout | null>(null);
  const firstRow = useSignal(0);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = (): void => {
      const columns = Math.max(1, Math.floor((element.clientWidth + gap) / (tileWidth + gap)));
      const width = Math.floor((element.clientWidth - (columns - 1) * gap) / columns);
      layout.value = {
        columns,
        width,
        rowHeight: width + captionHeight + gap,
        viewHeight: element.clientHeight,
      };
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [tileWidth, captionHeight]);

  const showActive = (): void => {
    const [element, now] = [box.current, layout.peek()];
    if (element === null || now === null) return;
    const top = Math.floor(active.peek() / now.columns) * now.rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + now.rowHeight > element.scrollTop + now.viewHeight) {
      element.scrollTop = top + now.rowHeight - now.viewHeight;
    }
  };
  useSignalEffect(() => {
    active.value;
    showActive();
  });
  // With other columns the same images are to be seen.
  const columnsNow = layout.value?.columns;
  useLayoutEffect(showActive, [columnsNow]);

  const { columns = 1, width = tileWidth, rowHeight = 1, viewHeight = 0 } = layout.value ?? {};
  const rows = Math.ceil(count / columns);
  const shownRows = Math.ceil(viewHeight / rowHeight) + 1;
  const from = Math.max(0, Math.min(firstRow.value, rows - 1) - spareRows) * columns;
  const to = layout.value === null ? 0 : Math.min(count, (firstRow.value + shownRows + spareRows) * columns);
  useLayoutEffect(() => onWindow?.(from, to), [from, to, onWindow]);

  const onScroll = (): void => {
    const [element, now] = [box.current, layout.peek()];
    if (element && now) firstRow.value = Math.floor(element.scrollTop / now.rowHeight);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || layout.value === null || count === 0) return;
    const page = Math.max(1, Math.floor(viewHeight / rowHeight)) * columns;
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: active.value - 1,
      ArrowRight: active.value + 1,
      ArrowUp: active.value < columns ? active.value : active.value - columns,
      ArrowDown: active.value + columns < count ? active.value + columns : active.value,
      PageUp: active.value - page,
      PageDown: active.value + page,
      Home: 0,
      End: count - 1,
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const target = Math.max(0, Math.min(count - 1, move));
    if (onMove) onMove(target, event);
    else active.value = target;
    showActive();
  };

  const isActiveThere = active.value >= from && active.value < to;
  return (
    <div
      ref={box}
      class="grid"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-multiselectable="true"
      aria-activedescendant={isActiveThere ? `${id}-${active.value}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div
        class="grid-space"
        role="presentation"
        style={{ height: `${Math.max(0, rows * rowHeight - gap)}px` }}
      >
        {Array.from({ length: Math.max(0, to - from) }, (_, i) => {
          const index = from + i;
          const x = (index % columns) * (width + gap);
          const row = Math.floor(index / columns);
          return tile(index, {
            isSpare: row < firstRow.value || row >= firstRow.value + shownRows,
            id: `${id}-${index}`,
            style: {
              transform: `translate(${x}px, ${row * rowHeight}px)`,
              width: `${width}px`,
              height: `${width + captionHeight}px`,
            },
          });
        })}
      </div>
    </div>
  );
}

import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ImageList } from '../../store/id-list.js';
import { type Choice, useChoice } from '../../ui/choice.js';
import { ImageGrid, type ImageGridProps } from '../../ui/image-grid.js';
import { Palette } from './palette.js';

export interface GridViewProps extends Pick<ImageGridProps, 'caption' | 'onOpen' | 'openKey'> {
  readonly queue: ImageList;
  readonly label: string;
  /** Default: its own. */
  readonly choice?: Choice;
}

/** All images of a queue, and what can be said of those that are chosen. */
export function GridView({ queue, ...props }: GridViewProps) {
  const own = useChoice(queue);
  const { choice = own } = props;
  const element = useRef<HTMLDivElement>(null);
  // Its keys are there at once, unless a person is choosing something else.
  useLayoutEffect(() => {
    if (document.activeElement?.closest('select, input')) return;
    element.current?.querySelector<HTMLElement>('.grid')?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="grid-view" ref={element}>
      <ImageGrid queue={queue} {...props} choice={choice} />
      <Palette judge={(verdict) => void choice.judge(verdict)} label="" />
    </div>
  );
}

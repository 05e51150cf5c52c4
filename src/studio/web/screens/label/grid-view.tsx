import type { ImageList } from '../../store/id-list.js';
import { useChoice } from '../../ui/choice.js';
import { ImageGrid } from '../../ui/image-grid.js';
import { Palette } from './palette.js';

export interface GridViewProps {
  readonly queue: ImageList;
  readonly label: string;
  readonly onOpen: (index: number) => void;
}

/** All images of a queue, and what can be said of those that are chosen. */
export function GridView({ queue, label, onOpen }: GridViewProps) {
  const choice = useChoice(queue);
  return (
    <div class="grid-view">
      <ImageGrid {...{ queue, label, choice, onOpen }} />
      <Palette judge={(verdict) => void choice.judge(verdict)} label="" />
    </div>
  );
}

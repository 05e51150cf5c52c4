import { ImageGrid } from '../ui/image-grid.js';
import { useQueue } from '../ui/use-queue.js';

export function Screen() {
  const queue = useQueue('all');
  return <ImageGrid queue={queue} label="Images" />;
}

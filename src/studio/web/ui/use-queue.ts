import { useEffect, useMemo } from 'preact/hooks';
import { ImageQueue } from '../store/image-queue.js';

/** A queue for as long as a component shows it. */
export function useQueue(name: string): ImageQueue {
  const queue = useMemo(() => new ImageQueue(name), [name]);
  useEffect(() => () => queue.close(), [queue]);
  return queue;
}

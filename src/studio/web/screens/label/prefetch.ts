import { useEffect, useRef } from 'preact/hooks';
import { imageAddress } from '../../api/client.js';
import type { ImageQueue } from '../../store/image-queue.js';

/** Images ahead that are loaded and decoded: as many as a quick person labels while one is decoded from a large photograph. */
const ahead = 8;
/** Images around that are known by name: what the filmstrip shows, and more. */
const around = 60;

/** Have the next images of a queue ready, so that each is there as soon as it is its turn. */
export function usePrefetch(queue: ImageQueue, place: number): void {
  const held = useRef(new Map<string, HTMLImageElement>());
  const total = queue.total.value;
  const isLoaded = queue.at(place + ahead) !== undefined;
  useEffect(() => {
    queue.want(place - around, place + around);
    const wanted = new Map<string, HTMLImageElement>();
    for (let i = place - 1; i <= place + ahead; i++) {
      const image = i < 0 ? undefined : queue.now(i);
      if (image === undefined) continue;
      for (const size of ['view', 'small'] as const) {
        const address = imageAddress(image.id, size);
        const element = held.current.get(address) ?? loading(address);
        wanted.set(address, element);
      }
    }
    held.current = wanted;
  }, [queue, place, total, isLoaded]);
}

function loading(address: string): HTMLImageElement {
  const image = new Image();
  image.src = address;
  // Decoded now, not when it is shown; one that cannot be is shown as missing then.
  image.decode().catch(() => {});
  return image;
}

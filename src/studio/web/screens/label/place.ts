import { type Signal, signal } from '@preact/signals';

const places = new Map<string, Signal<number>>();

/** Where one is in a queue, for as long as the tab lives. */
export function placeIn(queue: string): Signal<number> {
  let place = places.get(queue);
  if (place === undefined) {
    place = signal(0);
    places.set(queue, place);
  }
  return place;
}

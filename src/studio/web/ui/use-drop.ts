import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/**
 * Takes what is dropped anywhere on the page while a component stands on it.
 * @param take called with the drop, while its files and folders can still be asked for
 * @returns whether something is held over the page now
 */
export function useDrop(take: (event: DragEvent) => void): Signal<boolean> {
  const isOver = useSignal(false);
  const now = useRef(take);
  now.current = take;
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    const over = (event: DragEvent): void => {
      event.preventDefault();
      isOver.value = true;
    };
    const leave = ({ relatedTarget }: DragEvent): void => {
      // To another element, it has not left the page.
      if (relatedTarget === null) isOver.value = false;
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      isOver.value = false;
      now.current(event);
    };
    addEventListener('dragover', over, { signal });
    addEventListener('dragleave', leave, { signal });
    addEventListener('drop', drop, { signal });
    return () => listening.abort();
  }, []);
  return isOver;
}

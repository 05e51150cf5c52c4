import { useSignal } from '@preact/signals';

/**
 * Attributes of an element that something may be dropped on; `data-over` is there while it would be.
 * @param take called with the drop, while its files and folders can still be asked for
 */
export function useDropTarget(take: (event: DragEvent) => void) {
  const isOver = useSignal(false);
  return {
    'data-over': isOver.value || undefined,
    onDragOver(event: DragEvent): void {
      event.preventDefault();
      isOver.value = true;
    },
    onDragLeave(): void {
      isOver.value = false;
    },
    onDrop(event: DragEvent): void {
      event.preventDefault();
      isOver.value = false;
      take(event);
    },
  };
}

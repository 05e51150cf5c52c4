import { type Signal, useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isPending, type Pending } from '../../api/explore.js';
import { labels, studio } from '../../store/studio.js';
import { toastError } from '../../ui/toast.js';

export type Asked<T> = { readonly value: T | null; readonly isPending: boolean };

export interface UseAskedOptions {
  /** Whether labels change it; default: no. */
  readonly followsLabels?: boolean;
}

/** Labels come in bursts. */
const restMs = 400;

/** What the server says, asked anew when it has found out more, or when labels have changed. */
export function useAsked<T extends object>(
  ask: () => Promise<T | Pending>,
  key: string,
  { followsLabels = false }: UseAskedOptions = {},
): Signal<Asked<T>> {
  const asked = useSignal<Asked<T>>({ value: null, isPending: true });
  const looks = useComputed(() => studio.value?.looks ?? 0);
  const seq = useComputed(() => (followsLabels ? (labels.value?.seq ?? 0) : 0));
  useEffect(() => {
    asked.value = { value: null, isPending: true };
  }, [key]);
  useEffect(() => {
    let isOld = false;
    const load = (): void =>
      void ask().then(
        (value) => {
          if (isOld) return;
          asked.value = isPending(value)
            ? { value: asked.peek().value, isPending: true }
            : { value, isPending: false };
        },
        (error) => {
          if (isOld) return;
          asked.value = { value: null, isPending: false };
          toastError(error);
        },
      );
    const later = setTimeout(load, asked.peek().value === null ? 0 : restMs);
    return () => {
      isOld = true;
      clearTimeout(later);
    };
  }, [key, looks.value, seq.value]);
  return asked;
}

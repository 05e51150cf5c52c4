import { signal } from '@preact/signals';
import { ApiError } from '../api/client.js';
import { Icon } from './icon.js';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
  readonly action?: ToastAction | undefined;
}

export interface ToastAction {
  readonly name: string;
  readonly run: () => void;
}

/** Long enough to read two lines and reach the button; what went wrong stays until it is closed. */
const shownMs = 6000;

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Tell something in passing. */
export function toast(text: string, { action }: { readonly action?: ToastAction } = {}): void {
  show({ text, isError: false, action });
}

/** Tell what went wrong. */
export function toastError(error: unknown): void {
  const text =
    error instanceof ApiError ? error.text : error instanceof Error ? error.message : String(error);
  show({ text, isError: true });
}

function show(said: Omit<Toast, 'id'>): void {
  const id = ++lastId;
  // The same said twice is said once.
  toasts.value = [...toasts.value.filter(({ text }) => text !== said.text), { ...said, id }].slice(-3);
  if (!said.isError) setTimeout(() => close(id), shownMs);
}

/** What offered to undo a step is over once another one is done or undone. */
export function closeOffers(): void {
  toasts.value = toasts.value.filter(({ action }) => action === undefined);
}

function close(id: number): void {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, isError, action }) => (
        <div key={id} class="toast" data-error={isError || undefined}>
          <span>{text}</span>
          {action && (
            <button
              type="button"
              class="button quiet"
              onClick={() => {
                close(id);
                action.run();
              }}
            >
              {action.name}
            </button>
          )}
          <button type="button" class="icon-button" aria-label="Close" onClick={() => close(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

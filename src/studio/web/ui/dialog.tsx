import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from './icon.js';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** `wide` for lists of two columns, `window` for a picture. Default: as a text needs. */
  readonly size?: 'wide' | 'window';
  /** At its foot, from the left to the right; the last one is what one came for. */
  readonly buttons?: ComponentChildren;
}

/** A question before the page goes on. The browser keeps the focus in it, and gives it back where it was. */
export function Dialog({ title, onClose, size, children, buttons }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key: what is typed is for the dialog.
  useLayoutEffect(() => element.current?.showModal(), []);
  return (
    <dialog
      ref={element}
      class="dialog"
      data-size={size}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === element.current) element.current?.close();
      }}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button
            type="button"
            class="icon-button"
            aria-label="Close"
            onClick={() => element.current?.close()}
          >
            <Icon name="close" />
          </button>
        </div>
        {children}
        {buttons && <div class="dialog-buttons">{buttons}</div>}
      </div>
    </dialog>
  );
}

export interface DialogButtonsProps {
  readonly onCancel: () => void;
  /** What one came for. */
  readonly children: ComponentChildren;
  readonly isDisabled: boolean;
  /** Default: the form around it is sent. */
  readonly onDo?: () => void;
  /** Whether it takes something away. Default: false. */
  readonly isDanger?: boolean;
}

/** To leave a dialog as if nothing had been, and to do what it is for. */
export function DialogButtons({ onCancel, children, isDisabled, onDo, isDanger }: DialogButtonsProps) {
  return (
    <>
      <button type="button" class="button" onClick={onCancel}>
        Cancel
      </button>
      <button
        type={onDo ? 'button' : 'submit'}
        class={isDanger ? 'button danger' : 'button primary'}
        disabled={isDisabled}
        onClick={onDo}
      >
        {children}
      </button>
    </>
  );
}

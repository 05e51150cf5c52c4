import { useRef } from 'preact/hooks';
import { Icon } from '../../ui/icon.js';

/** Takes a picture, with what it is called. */
export interface PictureInputProps {
  readonly take: (picture: Blob, name: string) => void;
}

/** A picture from a file: dropped, chosen, or pasted anywhere on the page. */
export function FileInput({
  take,
  isOver,
}: PictureInputProps & {
  /** Whether one is held over the page. */
  readonly isOver: boolean;
}) {
  const input = useRef<HTMLInputElement>(null);
  const takeFirst = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file) take(file, file.name);
  };
  return (
    <div class="drop-area" data-over={isOver || undefined}>
      <Icon name="image" />
      <p>Drop a picture here, or paste one.</p>
      <button type="button" class="button" onClick={() => input.current?.click()}>
        Choose a file
      </button>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        accept="image/*"
        tabIndex={-1}
        aria-label="Picture to try"
        onChange={(event) => {
          takeFirst(event.currentTarget.files);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}

import { signal } from '@preact/signals';
import { imageAddress } from '../api/client.js';
import { labelOf } from '../store/image-labels.js';
import { ClassMark } from './class-mark.js';
import { Dialog } from './dialog.js';

interface Shown {
  readonly id: string;
  /** Default: none is told. */
  readonly name?: string;
}

const shown = signal<Shown | null>(null);

/** Show an image of the pile as large as the window has room for it. */
export function showLarge(image: Shown): void {
  shown.value = image;
}

/** The image that is shown large, while one is. */
export function LargePicture() {
  const image = shown.value;
  if (image === null) return null;
  const label = labelOf(image.id);
  return (
    <Dialog
      title={image.name ?? 'Picture'}
      size="window"
      onClose={() => {
        shown.value = null;
      }}
    >
      <img class="large-picture" src={imageAddress(image.id, 'view')} alt={image.name ?? 'The picture'} />
      {label !== null && <ClassMark label={label} />}
    </Dialog>
  );
}

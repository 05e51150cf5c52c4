import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { UnpackedProject } from '../../../project/unpacked-project.js';
import { ask } from '../../api/client.js';
import { toast, toastError } from '../../ui/toast.js';

/** Unpack the archive of a project, as Export makes it, into a folder of its own, and open it. */
export async function importProject(file: File): Promise<void> {
  try {
    const { path } = await ask<UnpackedProject>('/api/projects/import', { bytes: file });
    toast(`Unpacked to ${path}.`);
  } catch (error) {
    toastError(error);
  }
}

/** Lets a person choose the archive of a project. */
export function ImportProject() {
  const input = useRef<HTMLInputElement>(null);
  const isBusy = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="button quiet"
        disabled={isBusy.value}
        onClick={() => input.current?.click()}
      >
        {isBusy.value ? 'Unpacking …' : 'Open an exported project …'}
      </button>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        accept=".zip"
        tabIndex={-1}
        aria-label="Archive of a project"
        onChange={async (event) => {
          const element = event.currentTarget;
          const file = element.files?.[0];
          if (file === undefined) return;
          isBusy.value = true;
          await importProject(file);
          isBusy.value = false;
          element.value = '';
        }}
      />
    </>
  );
}

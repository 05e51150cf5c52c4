import { useSignal } from '@preact/signals';
import type { PileSource } from '../../../server/pile.js';
import { api } from '../../api/client.js';
import { Icon } from '../../ui/icon.js';
import { toast, toastError } from '../../ui/toast.js';
import { useDrop } from '../../ui/use-drop.js';
import { FolderChooser } from './folder-chooser.js';
import { ImportProject, importProject } from './import-project.js';

/** Open pictures; how that goes, the studio tells. */
export function openPictures(source: PileSource): void {
  api.open(source).catch(toastError);
}

/** Ways to say where pictures lie: choose, drop, or write it down; or take the example. */
export function OpenPictures({ isFirst }: { readonly isFirst: boolean }) {
  const chooser = useSignal<{ readonly named?: string } | null>(null);
  const path = useSignal('');
  const isOver = useDrop((event) => {
    const entry = event.dataTransfer?.items[0]?.webkitGetAsEntry();
    const file = event.dataTransfer?.files[0];
    if (file && entry?.isFile && /\.zip$/i.test(file.name)) void importProject(file);
    else if (entry?.isDirectory) chooser.value = { named: entry.name };
    else toast('Drop the folder that your pictures lie in, not single files.');
  });
  return (
    <section class="open-pictures" aria-label="Open pictures">
      <h2>{isFirst ? 'Your pictures' : 'Open other pictures'}</h2>
      <div class="open-ways">
        <form
          class="card drop"
          data-over={isOver.value || undefined}
          onSubmit={(event) => {
            event.preventDefault();
            const given = path.value.trim();
            if (given !== '') openPictures({ path: given });
          }}
        >
          <Icon name="folder" />
          <p>Drop a folder here, or</p>
          <button
            type="button"
            class={isFirst ? 'button primary' : 'button'}
            onClick={() => {
              chooser.value = {};
            }}
          >
            Choose a folder …
          </button>
          <details>
            <summary>Write down its path</summary>
            <div class="path-field">
              <input
                class="field"
                aria-label="Path of the folder"
                autocomplete="off"
                spellcheck={false}
                maxLength={4096}
                placeholder="/home/you/Pictures/beetles"
                value={path.value}
                onInput={(event) => {
                  path.value = event.currentTarget.value;
                }}
              />
              <button class="button" type="submit">
                Open
              </button>
            </div>
          </details>
        </form>
        <div class="card example">
          <h3>No pictures at hand?</h3>
          <p class="quiet-text small">
            MNIST has 60,000 handwritten digits, and comes with Quarterturn. A hundred labels are enough to
            read them.
          </p>
          <button type="button" class="button" onClick={() => openPictures({ example: 'mnist' })}>
            Open MNIST
          </button>
          <ImportProject />
        </div>
      </div>
      {chooser.value && (
        <FolderChooser
          {...chooser.value}
          onClose={() => {
            chooser.value = null;
          }}
          onChosen={(chosen) => openPictures({ path: chosen })}
        />
      )}
    </section>
  );
}

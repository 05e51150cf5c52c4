import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { FolderEntry, FolderListing } from '../../../server/folders.js';
import { api } from '../../api/client.js';
import { Dialog, DialogButtons } from '../../ui/dialog.js';
import { Icon } from '../../ui/icon.js';
import { toastError } from '../../ui/toast.js';
import { counted } from '../../ui/words.js';

export interface FolderChooserProps {
  /** Of a folder that was dropped: the browser tells no more of it. */
  readonly named?: string;
  readonly onClose: () => void;
  readonly onChosen: (path: string) => void;
}

/** Goes through the folders of this machine. */
export function FolderChooser({ named, onClose, onChosen }: FolderChooserProps) {
  const listing = useSignal<FolderListing | null>(null);
  const matches = useSignal<readonly FolderEntry[] | null>(null);
  const show = (path?: string): void => {
    api
      .folder(path)
      .then((found) => {
        listing.value = found;
      })
      .catch(toastError);
  };
  useEffect(() => {
    show();
    if (named === undefined) return;
    api
      .foldersNamed(named)
      .then(({ folders }) => {
        matches.value = folders;
      })
      .catch(toastError);
  }, []);
  const choose = (path: string): void => {
    onClose();
    onChosen(path);
  };
  const here = listing.value;
  // Of a list that has come, keys speak.
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (here !== null && named === undefined)
      (list.current?.querySelector('button') ?? list.current)?.focus();
  }, [here]);
  return (
    <Dialog
      title="Choose a folder"
      onClose={onClose}
      buttons={
        <DialogButtons
          onCancel={onClose}
          isDisabled={here === null}
          onDo={() => {
            if (here) choose(here.path);
          }}
        >
          Open this folder
        </DialogButtons>
      }
    >
      {named !== undefined && <Matches {...{ named, matches: matches.value, choose }} />}
      {here && (
        <>
          <nav class="places" aria-label="Places">
            {here.places.map(({ name, path }) => (
              <button key={path} type="button" class="button small" onClick={() => show(path)}>
                {name}
              </button>
            ))}
          </nav>
          <p class="here">
            <button
              type="button"
              class="icon-button"
              aria-label="Up to the folder around it"
              disabled={here.parent === null}
              onClick={() => here.parent && show(here.parent)}
            >
              <Icon name="up" />
            </button>
            <span class="path" role="status">
              {here.path}
            </span>
            <span class="quiet-text small">
              {here.pictures > 0 ? counted(here.pictures, 'picture') : 'no pictures of its own'}
            </span>
          </p>
          <ul class="folders" ref={list} tabIndex={-1}>
            {here.folders.map((each) => (
              <li key={each.path}>
                <button type="button" class="row-button" onClick={() => show(each.path)}>
                  <Icon name="folder" />
                  <span class="row-name">{each.name}</span>
                </button>
              </li>
            ))}
            {here.archives.map((each) => (
              <li key={each.path}>
                <button type="button" class="row-button" onClick={() => choose(each.path)}>
                  <Icon name="image" />
                  <span class="row-name">{each.name}</span>
                  <span class="quiet-text small">open this archive</span>
                </button>
              </li>
            ))}
            {here.folders.length + here.archives.length === 0 && (
              <li class="quiet-text small">There is no folder in it.</li>
            )}
          </ul>
        </>
      )}
    </Dialog>
  );
}

/** Folders of the name of the one that was dropped. */
function Matches({
  named,
  matches,
  choose,
}: {
  readonly named: string;
  readonly matches: readonly FolderEntry[] | null;
  readonly choose: (path: string) => void;
}) {
  if (matches === null) return <p role="status">Looking for “{named}” …</p>;
  if (matches.length === 0) {
    return (
      <p role="status">
        A browser does not say where “{named}” lies, and it is not near your home folder. Go to it here:
      </p>
    );
  }
  return (
    <div role="status">
      <p>A browser does not say where “{named}” lies. Is it this one?</p>
      <ul>
        {matches.map(({ path }) => (
          <li key={path}>
            <button type="button" class="row-button" onClick={() => choose(path)}>
              <Icon name="folder" />
              <span class="path">{path}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

import { useSignal } from '@preact/signals';
import type { Duplicate, SkippedFile } from '../../../server/pile.js';
import type { PileFacts } from '../../../server/updates.js';
import { api } from '../../api/client.js';
import { toastError } from '../../ui/toast.js';
import { count, counted } from '../../ui/words.js';

/** More than one reads at once; the rest comes when it is asked for. */
const shownAtOnce = 100;

/** Files that are no part of the pile: each kind with what to do about it, and all of them. */
export function SetAside({ facts }: { readonly facts: PileFacts }) {
  const files = useSignal<readonly SkippedFile[]>([]);
  if (facts.setAside === 0) return null;
  const more = (): void => {
    api
      .skipped({ from: files.value.length, count: shownAtOnce })
      .then(({ skipped }) => {
        files.value = [...files.value, ...skipped];
      })
      .catch(toastError);
  };
  return (
    <details class="aside">
      <summary>{counted(facts.setAside, 'file')} set aside</summary>
      <ul class="kinds">
        {facts.setAsideKinds.map(({ reason, count: of, names, hint }) => (
          <li key={reason}>
            <b>
              {count(of)} × {reason}
            </b>
            <span class="path small">{names.join(', ')}</span>
            {hint && <span class="quiet-text small">{hint}</span>}
          </li>
        ))}
      </ul>
      {files.value.length > 0 && (
        <ul class="files small" aria-label="Files set aside">
          {files.value.map(({ name, reason }) => (
            <li key={name}>
              <span class="path">{name}</span> <span class="quiet-text">{reason}</span>
            </li>
          ))}
        </ul>
      )}
      {files.value.length < facts.setAside && (
        <button type="button" class="button quiet" onClick={more}>
          {files.value.length === 0 ? 'Show every file' : 'Show more'}
        </button>
      )}
    </details>
  );
}

/** Pictures that lie there more than once; where copies contradict each other, with what they say. */
export function Duplicates({ facts }: { readonly facts: PileFacts }) {
  const groups = useSignal<readonly Duplicate[]>([]);
  if (facts.duplicates === 0) return null;
  const more = (): void => {
    api
      .duplicates({ from: groups.value.length, count: shownAtOnce })
      .then(({ duplicates }) => {
        groups.value = [...groups.value, ...duplicates];
      })
      .catch(toastError);
  };
  return (
    <details
      class="aside"
      onToggle={({ currentTarget }) => {
        if (currentTarget.open && groups.value.length === 0) more();
      }}
    >
      <summary>{counted(facts.duplicates, 'picture')} more than once: each is taken once</summary>
      <ul class="files small" aria-label="Duplicates">
        {groups.value.map(({ names, labels }) => (
          <li key={names[0]}>
            <span class="path">{names.join(' = ')}</span>
            {labels.length > 1 && <b> lies under {labels.join(' and ')}: label it here</b>}
          </li>
        ))}
      </ul>
      {groups.value.length < facts.duplicates && (
        <button type="button" class="button quiet" onClick={more}>
          Show more
        </button>
      )}
    </details>
  );
}

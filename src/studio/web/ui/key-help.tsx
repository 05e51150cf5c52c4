import { signal } from '@preact/signals';
import { Dialog } from './dialog.js';
import { keyGroups, shownKey } from './keys.js';

export const isKeyHelpOpen = signal(false);

/** A key as it stands on a keyboard. */
export function Key({ name }: { readonly name: string }) {
  return (
    <span class="keys">
      {shownKey(name).map((part) => (
        <kbd key={part}>{part}</kbd>
      ))}
    </span>
  );
}

/** All keys that do something now. */
export function KeyHelp() {
  if (!isKeyHelpOpen.value) return null;
  const close = (): void => {
    isKeyHelpOpen.value = false;
  };
  return (
    <Dialog title="Keys" size="wide" onClose={close}>
      <div class="key-groups">
        {keyGroups.value.map(({ name, bindings }) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {bindings()
                .filter(({ says }) => says !== undefined)
                .map(({ key, says }) => (
                  <div key={key}>
                    <dt>
                      <Key name={key} />
                    </dt>
                    <dd>{says}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

import { signal, useSignal } from '@preact/signals';
import { classes } from '../store/studio.js';
import { ClassMark } from './class-mark.js';
import { Dialog } from './dialog.js';
import { Key } from './key-help.js';
import { count } from './words.js';

/** A class that is there, or the name of one that is to be made. */
export type FoundClass = { readonly class: string } | { readonly newClass: string };

export interface ClassWish {
  /** What the class is for. */
  readonly title: string;
  readonly take: (found: FoundClass) => void;
}

const wish = signal<ClassWish | null>(null);

/** Let a person find a class by some letters of its name, or make it. */
export function wantClass(wanted: ClassWish): void {
  wish.value = wanted;
}

/** The finder of classes, while it is wanted. */
export function ClassFinder() {
  if (wish.value === null) return null;
  return <Finder {...wish.value} />;
}

const folded = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

function Finder({ title, take }: ClassWish) {
  const text = useSignal('');
  const chosen = useSignal(0);
  const name = text.value.normalize('NFC').trim();
  const wanted = folded(name);
  const found = classes.value
    .filter((each) => folded(each.name).includes(wanted))
    // What begins so comes first.
    .sort((a, b) => Number(folded(b.name).startsWith(wanted)) - Number(folded(a.name).startsWith(wanted)));
  const isNew = name !== '' && !classes.value.some((each) => each.name === name);
  const total = found.length + Number(isNew);
  const at = Math.min(chosen.value, Math.max(0, total - 1));
  const close = (): void => {
    wish.value = null;
  };
  const choose = (index: number): void => {
    const each = found[index];
    close();
    if (each !== undefined) take({ class: each.id });
    else if (isNew) take({ newClass: name });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && total > 0) chosen.value = (at + step + total) % total;
    else if (event.key === 'Enter' && total > 0) choose(at);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={title} onClose={close}>
      <input
        class="field"
        role="combobox"
        autofocus
        aria-label="Class"
        aria-expanded="true"
        aria-controls="found-classes"
        aria-activedescendant={total > 0 ? `found-class-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        placeholder="Name of a class"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <div id="found-classes" class="found-classes" role="listbox" aria-label="Classes">
        {found.map((each, index) => (
          <div
            key={each.id}
            id={`found-class-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => choose(index)}
          >
            <ClassMark label={each.id} />
            <span class="quiet-text">{count(each.count)}</span>
            {each.key !== null && <Key name={each.key} />}
          </div>
        ))}
        {isNew && (
          <div
            id={`found-class-${found.length}`}
            role="option"
            tabIndex={-1}
            aria-selected={at === found.length}
            onClick={() => choose(found.length)}
          >
            <span>
              New class <b>{name}</b>
            </span>
          </div>
        )}
      </div>
      {total === 0 && <p class="quiet-text">Type a name to make the first class.</p>}
    </Dialog>
  );
}

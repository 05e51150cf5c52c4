import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { addressOf } from '../../shell/router.js';
import { change } from '../../store/labelling.js';
import { type CountedClass, classes } from '../../store/studio.js';
import { Glyph } from '../../ui/class-mark.js';
import { Icon } from '../../ui/icon.js';
import { counted } from '../../ui/words.js';
import { DeleteClass, MergeClass, RenameClass } from './class-dialogs.js';

/** In the order of a keyboard; `u` marks what nobody can tell. */
const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0', ...'abcdefghijklmnopqrstvwxyz'];

const dialogs = { rename: RenameClass, merge: MergeClass, delete: DeleteClass } as const;

export interface ClassRowProps {
  readonly of: CountedClass;
  readonly index: number;
}

export function ClassRow({ of, index }: ClassRowProps) {
  const { id, name, colour, count } = of;
  const asked = useSignal<keyof typeof dialogs | null>(null);
  const Asked = asked.value && dialogs[asked.value];
  const ask = (what: keyof typeof dialogs) => () => {
    asked.value = what;
  };
  return (
    <li class="class-row">
      <label class="swatch" title="Colour">
        <Glyph id={id} colour={colour} />
        <input
          type="color"
          aria-label={`Colour of ${name}`}
          value={colour}
          onChange={({ currentTarget }) =>
            void change({ type: 'recolour-class', class: id, colour: currentTarget.value })
          }
        />
      </label>
      <span class="class-row-name">{name}</span>
      <a
        class="number small"
        href={addressOf('label', { queue: `class:${id}`, view: 'grid' })}
        title="Look at them"
      >
        {counted(count, 'image')}
      </a>
      <KeyOf of={of} />
      <Order of={of} index={index} />
      <span class="class-row-deeds">
        <button type="button" class="button small" aria-label={`Rename ${name}`} onClick={ask('rename')}>
          Rename
        </button>
        <button
          type="button"
          class="button small"
          aria-label={`Merge ${name} into another class`}
          disabled={classes.value.length < 2}
          onClick={ask('merge')}
        >
          Merge …
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={`Delete ${name}`}
          title="Delete …"
          onClick={ask('delete')}
        >
          <Icon name="trash" />
        </button>
      </span>
      {Asked && (
        <Asked
          of={of}
          onClose={() => {
            asked.value = null;
          }}
        />
      )}
    </li>
  );
}

/** The key that gives the label; one that another class has is taken from it. */
function KeyOf({ of: { id, name, key } }: { readonly of: CountedClass }) {
  const ownerOf = (wanted: string): string | undefined =>
    classes.value.find((each) => each.key === wanted && each.id !== id)?.name;
  return (
    <label class="class-row-key small">
      <span class="quiet-text">Key</span>
      <select
        class="field"
        aria-label={`Key of ${name}`}
        value={key ?? ''}
        onChange={({ currentTarget }) =>
          void change({ type: 'set-key', class: id, key: currentTarget.value || null })
        }
      >
        <option value="">none</option>
        {keys.map((each) => {
          const owner = ownerOf(each);
          return (
            <option key={each} value={each}>
              {owner === undefined ? each.toUpperCase() : `${each.toUpperCase()}, now of ${owner}`}
            </option>
          );
        })}
      </select>
    </label>
  );
}

function Order({ of: { id, name }, index }: ClassRowProps) {
  const all = classes.value;
  const box = useRef<HTMLSpanElement>(null);
  const pressed = useRef<string | null>(null);
  // A row that moves would lose the focus.
  useLayoutEffect(() => {
    if (pressed.current === null) return;
    const buttons = [...(box.current?.querySelectorAll('button') ?? [])];
    const wanted = buttons.find(({ dataset }) => dataset.way === pressed.current);
    (wanted?.disabled ? buttons.find(({ disabled }) => !disabled) : wanted)?.focus();
    pressed.current = null;
  }, [index]);
  const ways = [
    { way: 'up', says: 'Up', isLast: index === 0, before: all[index - 1]?.id ?? null },
    { way: 'down', says: 'Down', isLast: index === all.length - 1, before: all[index + 2]?.id ?? null },
  ] as const;
  return (
    <span ref={box} class="class-row-order">
      {ways.map(({ way, says, isLast, before }) => (
        <button
          key={way}
          type="button"
          class="icon-button"
          data-way={way}
          aria-label={`Move ${name} ${way}`}
          title={says}
          disabled={isLast}
          onClick={() => {
            pressed.current = way;
            void change({ type: 'move-class', class: id, before });
          }}
        >
          <Icon name={way} />
        </button>
      ))}
    </span>
  );
}

import { useSignal } from '@preact/signals';
import { type CountedClass, classes } from '../../store/studio.js';
import { counted } from '../../ui/words.js';
import { EffectDialog } from './effect-dialog.js';

interface ClassDialogProps {
  readonly of: CountedClass;
  readonly onClose: () => void;
}

export function RenameClass({ of: { id, name, count }, onClose }: ClassDialogProps) {
  const given = useSignal(name);
  const wanted = given.value.trim();
  const isNew = wanted !== '' && wanted !== name;
  return (
    <EffectDialog
      title={`Rename ${name}`}
      deed="Rename"
      event={isNew ? { type: 'rename-class', class: id, name: wanted } : null}
      says={`${counted(count, 'image')} will be called “${wanted}”.`}
      onClose={onClose}
    >
      <input
        class="field"
        autofocus
        aria-label="New name"
        autocomplete="off"
        maxLength={200}
        value={given.value}
        onFocus={({ currentTarget }) => currentTarget.select()}
        onInput={(event) => {
          given.value = event.currentTarget.value;
        }}
      />
    </EffectDialog>
  );
}

export function MergeClass({ of: { id, name }, onClose }: ClassDialogProps) {
  const into = useSignal('');
  const others = classes.value.filter((each) => each.id !== id);
  const target = others.find((each) => each.id === into.value);
  return (
    <EffectDialog
      title={`Merge ${name} into another class`}
      deed="Merge"
      event={target ? { type: 'merge-classes', classes: [id], into: target.id } : null}
      says={target && `${name} becomes a part of ${target.name} and is gone.`}
      onClose={onClose}
    >
      <label>
        <span class="quiet-text small">Its labels become those of</span>
        <select
          class="field"
          autofocus
          value={into.value}
          onChange={(event) => {
            into.value = event.currentTarget.value;
          }}
        >
          <option value="" disabled>
            Choose a class
          </option>
          {others.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name} ({counted(each.count, 'image')})
            </option>
          ))}
        </select>
      </label>
    </EffectDialog>
  );
}

export function DeleteClass({ of: { id, name }, onClose }: ClassDialogProps) {
  return (
    <EffectDialog
      title={`Delete ${name}`}
      deed="Delete"
      isDanger
      event={{ type: 'delete-class', class: id }}
      says={`The class ${name} is gone.`}
      onClose={onClose}
    />
  );
}

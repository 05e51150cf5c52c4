import { useSignal } from '@preact/signals';
import { change, makeClass } from '../store/labelling.js';
import { classes } from '../store/studio.js';
import { Icon } from '../ui/icon.js';
import { counted } from '../ui/words.js';
import { ClassRow } from './classes/class-row.js';

/** The classes, and what can be done to each; labels hold to a class, whatever it is called. */
export function Screen() {
  const labelled = classes.value.reduce((sum, { count }) => sum + count, 0);
  return (
    <div class="screen classes-screen">
      <header>
        <h1>Classes</h1>
        <p class="quiet-text">
          {classes.value.length === 0
            ? 'A class is what an image can be. Add the first one here, or press / while you label.'
            : `${counted(classes.value.length, 'class', 'classes')}, ${counted(labelled, 'label')}. Each change can be undone.`}
        </p>
      </header>
      {classes.value.length > 0 && (
        <ul class="card class-rows">
          {classes.value.map((each, index) => (
            <ClassRow key={each.id} of={each} index={index} />
          ))}
        </ul>
      )}
      <AddClass />
    </div>
  );
}

function AddClass() {
  const name = useSignal('');
  const isTaken = classes.value.some((each) => each.name === name.value.normalize('NFC').trim());
  return (
    <form
      class="add-class"
      onSubmit={(event) => {
        event.preventDefault();
        const given = name.value.trim();
        if (given === '' || isTaken) return;
        name.value = '';
        void change({ type: 'add-class', class: makeClass(given) });
      }}
    >
      <input
        class="field"
        aria-label="Name of a new class"
        aria-describedby="add-class-hint"
        placeholder="Name of a new class"
        autocomplete="off"
        maxLength={200}
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value;
        }}
      />
      <button class="button primary" type="submit" disabled={name.value.trim() === '' || isTaken}>
        <Icon name="plus" />
        Add
      </button>
      <p id="add-class-hint" class="quiet-text small" role="status">
        {isTaken ? 'There is a class of this name.' : ''}
      </p>
    </form>
  );
}

import { screens } from '../screens.js';
import { redo, saved, undo } from '../store/labelling.js';
import { connection, imageCount, labels, project } from '../store/studio.js';
import { Icon } from '../ui/icon.js';
import { isKeyHelpOpen } from '../ui/key-help.js';
import { modName } from '../ui/keys.js';
import { count } from '../ui/words.js';
import { addressOf, route, screenNames } from './router.js';
import { ThemeButton } from './theme.js';
import { TrainingStatus } from './training-status.js';

/** What is true wherever one is: the project, how far one is, whether it is saved, and what is being trained. */
export function Header() {
  return (
    <header class="header">
      <div class="header-row">
        <a class="brand" href={addressOf('start')}>
          <Icon name="brand" />
          <span class="brand-name">{project.value?.name ?? 'Quarterturn'}</span>
        </a>
        <Progress />
        <Saved />
        <TrainingStatus />
        <div class="header-tools">
          <UndoButtons />
          <ThemeButton />
          <button
            type="button"
            class="icon-button"
            aria-label="Keys"
            title="Keys (?)"
            onClick={() => {
              isKeyHelpOpen.value = true;
            }}
          >
            ?
          </button>
        </div>
      </div>
      <Navigation />
    </header>
  );
}

function Navigation() {
  const isEmpty = labels.value === null;
  return (
    <nav class="tabs" aria-label="Screens">
      {screenNames.map((name) => {
        const { title, isFree = false } = screens[name];
        const current = route.value.screen === name ? 'page' : undefined;
        if (isEmpty && !isFree) {
          return (
            <span key={name} class="tab" aria-disabled="true">
              {title}
            </span>
          );
        }
        return (
          <a key={name} class="tab" href={addressOf(name)} aria-current={current}>
            {title}
          </a>
        );
      })}
    </nav>
  );
}

function Progress() {
  const facts = labels.value;
  const total = imageCount.value;
  if (facts === null || total === 0) return null;
  return (
    <div class="labelled">
      <span>
        <b>{count(facts.labelled)}</b> of {count(total)} labelled
      </span>
      <progress class="thin" max={total} value={facts.labelled} aria-label="Labelled" />
    </div>
  );
}

function Saved() {
  if (connection.value.phase === 'lost') {
    return (
      <span class="saved" data-phase="failed" role="status">
        The studio does not answer
      </span>
    );
  }
  if (labels.value === null) return null;
  const { phase } = saved.value;
  const text = { saved: 'Saved', saving: 'Saving …', failed: 'Not saved' }[phase];
  return (
    <span class="saved" data-phase={phase} role={phase === 'failed' ? 'alert' : undefined}>
      {text}
    </span>
  );
}

/** What an event is called where it can be undone. */
const eventNames: Readonly<Record<string, string>> = {
  label: 'labels',
  clear: 'taking labels off',
  mark: 'mark',
  'add-class': 'new class',
  'rename-class': 'new name',
  'recolour-class': 'new colour',
  'set-key': 'new key',
  'move-class': 'new order',
  'merge-classes': 'merge',
  'delete-class': 'deleted class',
};

function UndoButtons() {
  const facts = labels.value;
  if (facts === null) return null;
  const steps = [
    { name: 'Undo', icon: 'undo', of: facts.undoable, run: undo, keys: `${modName}+Z` },
    { name: 'Redo', icon: 'redo', of: facts.redoable, run: redo, keys: `${modName}+Shift+Z` },
  ] as const;
  return (
    <>
      {steps.map(({ name, icon, of, run, keys }) => (
        <button
          key={name}
          type="button"
          class="icon-button"
          aria-label={of === null ? name : `${name}: ${eventNames[of] ?? of}`}
          title={of === null ? `${name} (${keys})` : `${name}: ${eventNames[of] ?? of} (${keys})`}
          disabled={of === null}
          onClick={() => void run()}
        >
          <Icon name={icon} />
        </button>
      ))}
    </>
  );
}

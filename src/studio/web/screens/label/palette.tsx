import type { Verdict } from '../../store/labelling.js';
import { classes } from '../../store/studio.js';
import { wantClass } from '../../ui/class-finder.js';
import { ClassMark } from '../../ui/class-mark.js';
import { Key } from '../../ui/key-help.js';
import { count } from '../../ui/words.js';

export interface PaletteProps {
  /** What the images are. */
  readonly judge: (verdict: Verdict) => void;
  /** Label or mark that they have, where they have the same. */
  readonly label?: string | null;
}

/** All that can be said of images, with its keys. */
export function Palette({ judge, label = null }: PaletteProps) {
  const say = (verdict: Verdict) => (event: MouseEvent) => {
    // The next key is for the images, not for this button once more.
    if (event.detail > 0 && event.currentTarget instanceof HTMLElement) event.currentTarget.blur();
    judge(verdict);
  };
  return (
    <section class="palette" aria-label="What is it?">
      {classes.value.length === 0 && (
        <p class="quiet-text small">
          Press <Key name="/" /> and type what you see. Each name becomes a class.
        </p>
      )}
      <ul>
        {classes.value.map(({ id, key, count: of }) => (
          <li key={id}>
            <button type="button" aria-pressed={label === id} onClick={say({ class: id })}>
              <ClassMark label={id} />
              <span class="palette-count">{count(of)}</span>
              {key !== null && <Key name={key} />}
            </button>
          </li>
        ))}
      </ul>
      <ul>
        <li>
          <button type="button" onClick={() => wantClass({ title: 'What is it?', take: judge })}>
            Find or make a class <Key name="/" />
          </button>
        </li>
        <li>
          <button type="button" aria-pressed={label === 'skipped'} onClick={say({ mark: 'skipped' })}>
            Skip <Key name="Space" />
          </button>
        </li>
        <li>
          <button type="button" aria-pressed={label === 'unsure'} onClick={say({ mark: 'unsure' })}>
            Nobody can tell <Key name="u" />
          </button>
        </li>
        <li>
          <button type="button" disabled={label === null} onClick={say({ clear: true })}>
            Take the label off <Key name="Backspace" />
          </button>
        </li>
      </ul>
    </section>
  );
}

import type { Verdict } from '../store/labelling.js';
import { classes } from '../store/studio.js';
import { wantClass } from './class-finder.js';
import type { KeyBinding } from './keys.js';

/** The keys that say something of images, wherever these are shown. */
export function labelKeys(judge: (verdict: Verdict) => void): readonly KeyBinding[] {
  return [
    ...classes.value.flatMap(({ id, name, key }): KeyBinding[] =>
      key === null ? [] : [{ key, says: name, run: () => judge({ class: id }) }],
    ),
    { key: '/', says: 'Find or make a class', run: () => wantClass({ title: 'Label', take: judge }) },
    { key: 'Space', says: 'Skip: for later', run: () => judge({ mark: 'skipped' }) },
    { key: 'u', says: 'Unsure: nobody can tell', run: () => judge({ mark: 'unsure' }) },
    { key: 'Backspace', also: ['Delete'], says: 'Take the label off', run: () => judge({ clear: true }) },
  ];
}

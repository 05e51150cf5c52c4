import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/** What a key does. */
export interface KeyBinding {
  /** `Enter`, `a`, `mod+shift+z`; `mod` is Ctrl, on a Mac ⌘. */
  readonly key: string;
  /** Other keys that do the same. */
  readonly also?: readonly string[];
  /** For the list of keys; absent: it is not listed there. */
  readonly says?: string;
  /** Absent: it is done elsewhere, and only listed here. */
  readonly run?: (event: KeyboardEvent) => void;
}

interface Group {
  readonly name: string;
  readonly bindings: () => readonly KeyBinding[];
}

/** What is listened for now: what came last goes first. */
export const keyGroups = signal<readonly Group[]>([]);

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
export const modName = isMac ? '⌘' : 'Ctrl';

/** Let keys do something while a component stands on the page, except where a person writes or is asked something. */
export function useKeys(name: string, bindings: readonly KeyBinding[]): void {
  const now = useRef(bindings);
  now.current = bindings;
  useEffect(() => {
    const group: Group = { name, bindings: () => now.current };
    keyGroups.value = [group, ...keyGroups.peek()];
    return () => {
      keyGroups.value = keyGroups.peek().filter((each) => each !== group);
    };
  }, [name]);
}

/** The name of what was pressed, as bindings have it. */
function nameOf(event: KeyboardEvent): string {
  const { key, code } = event;
  // On a French keyboard digits need Shift; what is meant is the key.
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  const isDigit = digit !== undefined && (!event.shiftKey || key === digit);
  const base = isDigit ? digit : key === ' ' ? 'Space' : key.length === 1 ? key.toLowerCase() : key;
  const isLetter = /^(\p{L}|\d)$/u.test(base) || base.length > 1;
  return [
    (isMac ? event.metaKey : event.ctrlKey) && 'mod',
    event.altKey && 'alt',
    // Of `?` and `/`, Shift is a part on some keyboards.
    event.shiftKey && isLetter && !isDigit && 'shift',
    base,
  ]
    .filter(Boolean)
    .join('+');
}

const writes =
  'textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range], [type=button])';
const presses = 'button, a[href], summary, input, [role=button], [role=tab]';

function onKeyDown(event: KeyboardEvent): void {
  const target = event.target instanceof Element ? event.target : null;
  if (event.defaultPrevented || event.isComposing || target?.closest(`dialog, ${writes}`)) return;
  if (document.querySelector('dialog[open]')) return;
  const name = nameOf(event);
  // These are the element's own.
  if ((name === 'Enter' || name === 'Space') && target?.closest(presses)) return;
  for (const group of keyGroups.peek()) {
    const found = group.bindings().find(({ key, also = [] }) => key === name || also.includes(name));
    if (found?.run === undefined) continue;
    event.preventDefault();
    found.run(event);
    return;
  }
}

addEventListener('keydown', onKeyDown);

const shownNames: Readonly<Record<string, string>> = {
  mod: modName,
  alt: isMac ? '⌥' : 'Alt',
  shift: 'Shift',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Backspace: '⌫',
};

/** The parts of a key as keyboards have them: `['Ctrl', 'Z']`. */
export function shownKey(key: string): readonly string[] {
  return key.split('+').map((part) => shownNames[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

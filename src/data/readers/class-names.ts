import { formatCount } from '../../counts.js';
import { byCodeUnits } from './tree-path.js';

const collator = new Intl.Collator('en', { numeric: true });

/**
 * Names in natural order, each once: `img2` before `img10`, letters as in a dictionary; names that it takes for equal by code
 * units.
 */
export function inNaturalOrder(names: Iterable<string>): string[] {
  return [...new Set(names)].sort((a, b) => collator.compare(a, b) || byCodeUnits(a, b));
}

/** The class that a folder's name means: its own characters, in Unicode's normal form C, and nothing else changed. */
export function classNameOf(folder: string): string {
  return folder.normalize('NFC');
}

/** Names in a sentence: the first ones, and how many more there are. */
export function listedNames(names: readonly string[], most = 10): string {
  const more = names.length - most;
  if (more <= 1) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${formatCount(more)} more`;
}

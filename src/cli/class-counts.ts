import { countOf, formatCount, formatPercent } from '../report/format.js';
import { padEnd, padStart, shorten, textWidth } from '../report/text-width.js';
import { printable } from './paths.js';

/** Classes that have a line: as many as are seen at a glance. */
const shownClasses = 10;
/** Longer names do not push the counts out of sight. */
const maxNameWidth = 40;

/**
 * How many images got which class, the commonest first, as a short table for people. Of many classes the first ten have a line,
 * the others one together.
 *
 * @param counts images by the name of their class; classes without any may be absent
 */
export function classCountLines(counts: ReadonlyMap<string, number>): string[] {
  const sorted = [...counts].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const shown = sorted.slice(0, shownClasses).map(([name, count]) => ({
    name: shorten(printable(name), maxNameWidth),
    count: formatCount(count),
    share: formatPercent(count / total, 1),
  }));
  const nameWidth = Math.max(...shown.map(({ name }) => textWidth(name)));
  const countWidth = Math.max(...shown.map(({ count }) => count.length));
  const lines = shown.map(
    ({ name, count, share }) =>
      `  ${padEnd(name, nameWidth)}  ${padStart(count, countWidth)}  ${share.padStart('100.0 %'.length)}`,
  );
  const others = sorted.slice(shownClasses);
  if (others.length === 0) return lines;
  const images = others.reduce((sum, [, count]) => sum + count, 0);
  return [...lines, `  … and ${formatCount(others.length)} more, with ${countOf(images, 'image')}`];
}

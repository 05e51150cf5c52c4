import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Selection } from './selection.js';

test('holds what a set of places holds, whatever is chosen and unchosen', () => {
  const place = fc.nat(30);
  const step = fc.tuple(fc.constantFrom('with', 'without', 'toggled'), place, place);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      let selection = Selection.none;
      const places = new Set<number>();
      for (const [what, from, to] of steps) {
        if (what === 'toggled') {
          selection = selection.toggled(from);
          if (!places.delete(from)) places.add(from);
          continue;
        }
        selection = what === 'with' ? selection.with([from, to]) : selection.without([from, to]);
        for (let i = from; i < to; i++) {
          if (what === 'with') places.add(i);
          else places.delete(i);
        }
      }
      const sorted = [...places].sort((a, b) => a - b);
      expect(selection.ranges.flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i))).toEqual(
        sorted,
      );
      expect(selection.count).toBe(places.size);
      for (let i = 0; i <= 30; i++) expect(selection.has(i)).toBe(places.has(i));
      // Ranges that touch are one.
      for (const [i, [from]] of selection.ranges.entries()) {
        expect(from).toBeGreaterThan(selection.ranges[i - 1]?.[1] ?? -1);
      }
    }),
  );
});

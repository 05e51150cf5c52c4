/**
 * A check that no more was found than there was: from a larger number, shares and intervals would come out as no numbers at all.
 * @param whole the field that says how much there was; `found` says how much of it was found
 * @example z.object({ found: count, of: count }).refine(...foundAtMost('of'))
 */
export function foundAtMost<W extends string>(whole: W) {
  const check = (value: { readonly found: number } & { readonly [name in W]: number }): boolean =>
    value.found <= value[whole];
  const path: PropertyKey[] = ['found'];
  return [check, { path, error: `expected at most as many as ${whole} says` }] as const;
}

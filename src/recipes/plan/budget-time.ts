/**
 * A time such as `90s`, `10m`, `1h30m` in ms; undefined if it is none, or no time at all.
 */
export function parseBudget(text: string): number | undefined {
  const found = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text.trim());
  if (!found) return undefined;
  const [hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ];
  const ms = Math.round(1000 * (3600 * hours + 60 * minutes + seconds));
  return ms > 0 && Number.isSafeInteger(ms) ? ms : undefined;
}

/** A time as {@link parseBudget} reads it, rounded up to whole seconds: `1h30m`, `48s`. */
export function formatBudget(ms: number): string {
  const all = Math.ceil(ms / 1000);
  const parts = [
    [Math.floor(all / 3600), 'h'],
    [Math.floor(all / 60) % 60, 'm'],
    [all % 60, 's'],
  ] as const;
  const text = parts.flatMap(([count, unit]) => (count > 0 ? [`${count}${unit}`] : [])).join('');
  return text === '' ? '0s' : text;
}

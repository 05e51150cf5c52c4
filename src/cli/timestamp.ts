/** Local time as `20250314-101245`: sorts, and needs no quotes. */
export function timestamp(now: Date): string {
  const two = (n: number) => `${n}`.padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

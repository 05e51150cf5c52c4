const numbers = new Intl.NumberFormat('en');

/** `12,345` */
export const count = (value: number): string => numbers.format(value);

/** `1 image`, `12,345 images` */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A share from 0 to 1 as `87 %`; `87.4 %` with one digit. */
export const percent = (share: number, digits = 0): string => `${(100 * share).toFixed(digits)} %`;

/** How long something takes, as one says it: `12 s`, `3 min`, `1 h 20 min`. */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

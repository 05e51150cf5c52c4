import { type Mark, marks } from './label-events.js';

/** What is known of an image: the id of its class, or its mark. */
export type ImageLabel = string;

/** What stands in place of the number of a class: nothing, or a mark. */
export const none = 0;
export const markNumbers: Readonly<Record<Mark, number>> = { skipped: -1, unsure: -2 };

/** The number that stands for a class, for a mark or for nothing. */
export function numberOf(label: ImageLabel | undefined): number {
  if (label === undefined) return none;
  return label.startsWith('c') ? Number(label.slice(1)) : markNumbers[label as Mark];
}

/** The inverse of {@link numberOf}. */
export function labelOfNumber(value: number): ImageLabel | undefined {
  if (value > none) return `c${value}`;
  return marks.find((mark) => markNumbers[mark] === value);
}

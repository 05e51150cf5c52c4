import { z } from 'zod';
import { excerptOf } from './json.js';

/** A number from `min` to `max`; `above` if `min` itself is not one of them. */
export function numberBetween(min: number, max: number, { above = false } = {}) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `expected a number ${above ? `above ${min} and at most` : `from ${min} to`} ${max}, not ${excerptOf(input)}`;
  const number = z.number({ error }).max(max, { error });
  return above ? number.gt(min, { error }) : number.min(min, { error });
}

/** A whole number from `min` to `max`. */
export function integerBetween(min: number, max: number) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `expected a whole number from ${min} to ${max}, not ${excerptOf(input)}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

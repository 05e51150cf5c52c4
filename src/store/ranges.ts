import { z } from 'zod';
import { shown } from './json.js';

/** A number from `min` to `max`; `above` where `min` itself is not one of them. */
export function between(min: number, max: number, { above = false } = {}) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `expected a number ${above ? `above ${min} and at most` : `from ${min} to`} ${max}, not ${shown(input)}`;
  const number = z.number({ error }).max(max, { error });
  return above ? number.gt(min, { error }) : number.min(min, { error });
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `expected a whole number from ${min} to ${max}, not ${shown(input)}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

import { z } from 'zod';

/** A whole number in an address. */
export const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, 'expected a whole number')
  .transform(Number);

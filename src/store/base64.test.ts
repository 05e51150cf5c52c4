import { expect, test } from 'vitest';
import { fromBase64, toBase64 } from './base64.js';

test('base64 of more bytes than one call takes', () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
  expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
});

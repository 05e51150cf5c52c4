import { expect, test } from 'vitest';
import { printable } from './paths.js';

test.each([
  ['two\nlines\r.png', 'two\\nlines\\r.png'],
  ['tab\there', 'tab\\there'],
  ['\x1b[31mred', '\\x1b[31mred'],
  ['\u009b31m', '\\x9b31m'],
  ['\u202egnp.7', '\\u202egnp.7'],
  ['a\u2028b', 'a\\u2028b'],
  ['emoji 🦊 né.png', 'emoji 🦊 né.png'],
  ['back\\slash', 'back\\slash'],
])('%j is printed as %j', (name, shown) => {
  expect(printable(name)).toBe(shown);
});

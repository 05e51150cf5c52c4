import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { excerptOf, parseJson, parseWith } from './json.js';

describe('parseJson', () => {
  test('reads what JSON.parse reads, as it does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson('f', text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('refuses what JSON.parse refuses, and nothing else but depth and names given twice', () => {
    const pieces = fc.constantFrom(...'{}[],:" \\u0n1-.eE+\n'.split(''), '"a"', '"b"', 'true', 'null', '1e5');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const read = (parse: () => unknown) => {
          try {
            return { value: parse() };
          } catch (error) {
            return { error };
          }
        };
        const [ours, theirs] = [read(() => parseJson('f', text)), read(() => JSON.parse(text))];
        if ('value' in ours) expect(theirs).toEqual(ours);
        else if ('value' in theirs) expect(String(ours.error)).toContain('each name once');
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['', 'f: expected a value at line 1, column 1. Received: its end.'],
    ['{"a": 1,\n "b": [1, 2,],\n}', 'f: expected a value at line 2, column 13. Received: "],'],
    ['{"a": 1,\n}', 'f: expected a name in double quotes at line 2, column 1. Received: "}".'],
    ['{"a" 1}', 'f: expected a colon at line 1, column 6. Received: "1}".'],
    ['[1 2]', 'f: expected a comma or a closing bracket at line 1, column 4. Received: "2]".'],
    ['[] []', 'f: expected the end at line 1, column 4. Received: "[]".'],
    ['["a', 'f: expected a whole string at line 1, column 2. Received: '],
    ['["\\x"]', 'f: expected a whole string at line 1, column 2. Received: '],
    ["{'a': 1}", 'f: expected a name in double quotes or a closing brace at line 1, column 2.'],
    ['{"a": NaN}', 'f: expected a value at line 1, column 7. Received: "NaN}".'],
    ['{"a": 1, "\\u0061": 2}', 'f: expected each name once in an object at line 1, column 10.'],
  ])('of %j it says where and what', (text, message) => {
    expect(() => parseJson('f', text)).toThrow(
      expect.objectContaining({ code: 'data', message: expect.stringContaining(message) }),
    );
  });

  test('deep nesting is refused, however deep', () => {
    const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
    expect(parseJson('f', nested(32, '[', ']'))).toHaveLength(1);
    for (const depth of [33, 20_000, 2_000_000]) {
      for (const open of ['[', '{"a":']) {
        expect(() => parseJson('f', nested(depth, open, ''))).toThrow('at most 32 levels of nesting');
      }
    }
  });
});

test('parseWith names what is wrong, shortly', () => {
  const schema = z.strictObject({ a: z.number(), b: z.array(z.string()) });
  expect(parseWith(schema, { a: 1, b: ['x'] }, 'f', 'a thing')).toEqual({ a: 1, b: ['x'] });
  expect(() =>
    parseWith(schema, { a: 'x', b: [1, 2, 3, 4, 5, 6] }, 'f', 'a thing', { code: 'checkpoint' }),
  ).toThrow(
    expect.objectContaining({
      code: 'checkpoint',
      message: expect.stringMatching(
        /^f: expected a thing\. Received: a: expected a number, not "x"; b\.0: expected text, not 1; .*; and 2 more\.$/,
      ),
    }),
  );
  const long = () => parseWith(schema, { a: 1, b: [], ['c'.repeat(1000)]: 1 }, 'f', 'a thing');
  expect(long).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{100,300}$/) }));
});

test('excerptOf is short for anything', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 50_000; i++) deep = [deep];
  expect([deep, { deep }, 'x'.repeat(99), -3, null, undefined].map(excerptOf)).toEqual([
    'a list',
    'an object',
    expect.stringMatching(/^"x{30,40}…$/),
    '-3',
    'null',
    'nothing',
  ]);
});

import { describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { createStyles, exitCodeOf, formatError, traitsOf, useColor } from './terminal.js';

describe('useColor', () => {
  test.each<[boolean, Record<string, string>, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { FORCE_COLOR: 'false' }, false],
    [false, { FORCE_COLOR: '3', NO_COLOR: '1' }, true],
  ])('terminal %s with %j: %s', (isTTY, environment, expected) => {
    expect(useColor(isTTY, environment)).toBe(expected);
  });
});

describe('traitsOf', () => {
  test('a dumb terminal, a pipe and a terminal without a width', () => {
    expect(traitsOf({ isTTY: true, columns: 120 }, { TERM: 'dumb' })).toMatchObject({
      isTTY: false,
      color: false,
    });
    expect(traitsOf({}, {})).toMatchObject({ isTTY: false, color: false });
    expect(traitsOf({ isTTY: true, columns: 0 }, {}).columns()).toBe(80);
  });

  test('follows a window that is resized', () => {
    const stream = { isTTY: true, columns: 120 };
    const traits = traitsOf(stream, {});
    stream.columns = 40;
    expect(traits.columns()).toBe(40);
  });
});

describe('createStyles', () => {
  test('marks text, or leaves it', () => {
    expect(createStyles(true).red('no')).toBe('\x1b[31mno\x1b[39m');
    expect(createStyles(true).dim('')).toBe('');
    expect(createStyles(false).red('no')).toBe('no');
  });
});

describe('formatError', () => {
  const cause = new Error('ENOSPC: write');
  const error = new QuarterturnError('io', 'runs/a: expected room. Received: none.', {
    hint: 'Make room.',
    cause,
  });

  test('says what happened and what to do, without a stack', () => {
    expect(formatError(error)).toBe('error: runs/a: expected room. Received: none.\nhint: Make room.');
    expect(formatError(new QuarterturnError('data', 'no'))).toBe('error: no');
    expect(formatError(error, { color: true })).toContain('\x1b[31merror:\x1b[39m runs/a');
  });

  test('adds stack and cause on request', () => {
    const text = formatError(error, { debug: true });
    expect(text).toContain('terminal.test.ts');
    expect(text).toContain('ENOSPC: write');
  });

  test('an interruption is no error; something unforeseen asks for a report', () => {
    expect(formatError(new QuarterturnError('interrupted', 'after step 12'))).toBe('stopped: after step 12');
    expect(formatError(new TypeError('x is not a function'))).toMatch(
      /^error: x is not a function\nhint: .*--debug/,
    );
    expect(formatError('thrown text')).toMatch(/^error: thrown text\n/);
  });
});

test.each([
  [new QuarterturnError('usage', ''), 2],
  [new QuarterturnError('interrupted', ''), 130],
  [new QuarterturnError('data', ''), 1],
  [new Error(), 1],
  [undefined, 1],
])('exit code of %o is %d', (error, code) => {
  expect(exitCodeOf(error, 130)).toBe(code);
  expect(exitCodeOf(error, 75)).toBe(code === 130 ? 75 : code);
});

import { describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { outputError, systemError } from './system-error.js';

const failure = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: raw`), { code, ...more });

describe('systemError', () => {
  test('names path and remedy of what the file system refused', () => {
    expect(systemError(failure('EACCES', { syscall: 'open', path: 'a/b' }))).toMatchObject({
      code: 'io',
      message: 'a/b: expected to read it. Received: EACCES, permission denied.',
      hint: expect.stringContaining('permissions'),
    });
    expect(systemError(failure('ENOENT', { syscall: 'open', path: 'a/b' }))).toMatchObject({
      message: 'a/b: expected to read it. Received: ENOENT, nothing is there.',
    });
  });

  test.each([
    [
      'open files',
      failure('EMFILE', { syscall: 'open', path: 'a' }),
      /Received: EMFILE, no more than \S+ may be open at once\.$/,
    ],
    [
      'memory, of the system',
      failure('ENOMEM', { syscall: 'read' }),
      /expected memory to work in\. Received: ENOMEM, none is left/,
    ],
    ['memory, of V8', new RangeError('Array buffer allocation failed'), /Received: ENOMEM, none is left/],
  ])('what there is too little of: %s', (_, error, message) => {
    expect(systemError(error)).toMatchObject({ message: expect.stringMatching(message), cause: error });
  });

  test.each([
    [new QuarterturnError('io', 'said already', { cause: failure('EACCES', { syscall: 'open' }) })],
    [new TypeError('x is not a function')],
    [new RangeError('Maximum call stack size exceeded')],
    [failure('ERR_INVALID_ARG_TYPE')],
    ['text'],
    [undefined],
  ])('leaves alone what is of another kind: %o', (error) => {
    expect(systemError(error)).toBeUndefined();
  });
});

test('an output that takes no more is named', () => {
  expect(outputError(failure('ENOSPC', { syscall: 'write' }))).toMatchObject({
    code: 'io',
    message: 'standard output: expected to write it. Received: ENOSPC, the disk is full.',
  });
});

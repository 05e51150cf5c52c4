/** The former name of `node.ts`, for programs that import the built file by its path. */
export * from './node.js';

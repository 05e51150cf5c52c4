/**
 * Every backbone there is: one more takes a file beside this one and a line here. Settings, help texts, the type
 * `BackboneName` and the tests that go through all of them follow.
 */
export { compact } from './compact.js';
export { residual } from './residual.js';
export { rotnet } from './rotnet.js';

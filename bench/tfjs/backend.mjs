/** TensorFlow.js on one of its backends that run in Node without a binary: `cpu` (plain JavaScript) or `wasm`. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';

export { tf };

/** @returns what measured, for the table: `tfjs 4.22.0 wasm` */
export async function startBackend(name) {
  // In Node the WebAssembly backend runs on one thread, whatever it is told.
  if (!(await tf.setBackend(name))) throw new Error(`tfjs: expected a backend "${name}".`);
  await tf.ready();
  return `tfjs ${tf.version_core} ${name}`;
}

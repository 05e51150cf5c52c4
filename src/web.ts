/** `quarterturn/web`: what browsers add to the library, WebAssembly and WebGPU kernels. */

export { createWebRuntime, type WebRuntimeOptions } from './runtime/web.js';

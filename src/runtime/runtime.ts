import type { Graph } from '../graph/graph.js';
import type { Tensor, Tensors } from '../tensor/tensor.js';

/** Device on which graphs run: `cpu` everywhere in Node, `wasm` in browsers, `webgpu` in both. */
export type DeviceName = 'cpu' | 'webgpu' | 'wasm';

export interface RuntimeOptions {
  readonly device: DeviceName;
  /** Threads for one operator; default: all cores, since nothing else runs beside a step. */
  readonly threads?: number;
}

/** Compiles graphs and runs them. One implementation each for Node and for browsers. */
export interface Runtime {
  readonly device: DeviceName;
  /** Name and version of the kernel library, for `config.json`. */
  readonly version: string;
  /** Lower, encode and load a graph. Keep the program for the whole run: loading is slow. */
  compile(graph: Graph): Promise<Program>;
  /**
   * Load a finished ONNX file.
   * @param name what to call it in errors; default: `model`
   */
  load(model: Uint8Array, name?: string): Promise<Program>;
}

/** A compiled graph. It holds memory that no garbage collector sees until it is released. */
export interface Program extends AsyncDisposable {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Run once. A run that is asked for while another one goes on waits for it.
   * @param inputs one tensor for each input name
   * @param into buffers for outputs, written in place where given; they must not be inputs of this run
   */
  run(inputs: Tensors, into?: Tensors): Promise<Record<string, Tensor>>;
  /** Give the memory back, after the runs that were asked for; a second time changes nothing. */
  release(): Promise<void>;
}

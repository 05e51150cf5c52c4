import type { Graph } from '../graph/graph.js';
import { sameGraph } from '../graph/same-graph.js';
import type { Program, Runtime } from './runtime.js';

interface Shelved {
  readonly graph: Graph;
  readonly program: Program;
}

/**
 * Where a program lies that may soon be asked for again: a stage is trained, then tried without each fold of its labels, all by the
 * same step. There is room for one, so that memory grows by one program at most; what lies there is released before another graph
 * is compiled.
 *
 * @example
 * const shelf = new ProgramShelf();
 * const program = await shelf.take(graph, runtime);
 * await program.run(inputs);
 * await shelf.put(graph, program);
 * await shelf.release();
 */
export class ProgramShelf implements AsyncDisposable {
  #shelved: Shelved | undefined;

  /** The program of a graph: the one that lies here, or a new one. It is the caller's, to be put back or released. */
  async take(graph: Graph, runtime: Runtime): Promise<Program> {
    const known = this.#shelved;
    this.#shelved = undefined;
    if (known && sameGraph(known.graph, graph)) return known.program;
    await known?.program.release();
    return runtime.compile(graph);
  }

  /** Puts a program here that is no longer used, in place of the one before. */
  async put(graph: Graph, program: Program): Promise<void> {
    const before = this.#shelved;
    this.#shelved = { graph, program };
    await before?.program.release();
  }

  /** Gives the memory back. */
  async release(): Promise<void> {
    const last = this.#shelved;
    this.#shelved = undefined;
    await last?.program.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

import { countOf } from '../src/counts.js';
import { orientedGradientsLength } from '../src/features/oriented-gradients.js';
import type { Contender, Files } from './contender.js';
import { ourProgram } from './places.js';
import { type PythonLibrary, pythonPeers, pythonProgram } from './python.js';
import type { Row, RowOptions } from './rows.js';

/** A library that finds neighbours. */
export interface Searcher extends PythonLibrary {
  /** What Python calls it. */
  readonly library: string;
}

export const neighboursName = 'neighbours';

/** What neighbours are found of: as many images, described by oriented gradients. */
const rows = 20_000;
/** Neighbours of each. */
const count = 10;

/**
 * Float32 rounds a cosine of 392 products by some 1e-6. Cosines of the named neighbours that agree so closely in float64 are
 * those of the same rows, or of others just as near.
 */
export const neighboursTolerance = 1e-5;

export function neighboursRow({ threads, pytorches, searchers = [] }: RowOptions): Row {
  const files: Files = async (fixtures) => ({ rows: await fixtures.descriptions(rows) });
  const peers = (library: string, libraries: readonly PythonLibrary[]): Contender[] =>
    pythonPeers(libraries, pythonProgram('neighbours.py', { library, count }, files)).map((peer) => ({
      ...peer,
      env: { ...peer.env, OPENBLAS_NUM_THREADS: `${threads}`, OMP_NUM_THREADS: `${threads}` },
    }));
  return {
    name: neighboursName,
    title:
      `The ${count} nearest neighbours by cosine of ${countOf(rows, 'row')} of ${orientedGradientsLength} numbers: ` +
      countOf(threads, 'thread'),
    contenders: [
      { name: 'ours', role: 'ours', program: ourProgram('neighbours'), flags: { count }, files },
      ...peers('torch', pytorches),
      ...searchers.flatMap((searcher) => peers(searcher.library, [searcher])),
    ],
    threads,
    unit: 'images/s',
    // Each row by each row; ours multiplies each pair once.
    flopsPerImage: 2 * rows * orientedGradientsLength,
    tolerance: neighboursTolerance,
    stepFactor: 1,
  };
}

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { QuarterturnError } from '../src/errors.js';
import { gateSteps } from './gate.js';
import type { Pace } from './measure.js';
import { neighboursTolerance } from './neighbours-row.js';
import { usualTolerance } from './results.js';
import { groups } from './rows.js';

export interface BenchOptions extends Pace {
  /** Rows to measure. */
  readonly only: readonly string[];
  readonly threads: number;
  readonly width?: number;
  readonly batch?: number;
  readonly json: boolean;
  readonly write: boolean;
  readonly help: boolean;
}

/**
 * Parse the command line.
 * @param rowNames all rows there are
 * @throws QuarterturnError `usage`
 */
export function parseOptions(args: readonly string[], rowNames: readonly string[]): BenchOptions {
  const values = parsed(args);
  const number = (name: NumberFlag, fallback: number, least: number): number => {
    const text = values[name];
    if (text === undefined) return fallback;
    const value = Number(text);
    const whole = name === 'width' || Number.isInteger(value);
    if (whole && value >= least) return value;
    throw usage(
      `--${name}`,
      `a ${name === 'width' ? 'number above 0' : `whole number from ${least} on`}`,
      text,
    );
  };
  const known = [...rowNames, ...Object.keys(groups)];
  const asked = (values.only ?? []).flatMap((names) => names.split(',')).filter(Boolean);
  for (const name of asked)
    if (!known.includes(name)) throw usage('--only', `some of ${known.join(', ')}`, name);
  const chosen = new Set(asked.flatMap((name) => groups[name] ?? [name]));
  return {
    only: asked.length === 0 ? rowNames : rowNames.filter((name) => chosen.has(name)),
    rounds: number('rounds', 3, 1),
    steps: number('steps', 7, 1),
    warmup: number('warmup', 2, 0),
    limitSeconds: number('limit', 180, 1),
    threads: number('threads', availableParallelism(), 1),
    ...(values.width !== undefined && { width: number('width', 1, Number.MIN_VALUE) }),
    ...(values.batch !== undefined && { batch: number('batch', 128, 2) }),
    json: values.json ?? false,
    write: values.write ?? false,
    help: values.help ?? false,
  };
}

type NumberFlag = 'rounds' | 'steps' | 'warmup' | 'limit' | 'threads' | 'width' | 'batch';

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        rounds: text,
        steps: text,
        warmup: text,
        limit: text,
        threads: text,
        width: text,
        batch: text,
        json: flag,
        write: flag,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw new QuarterturnError('usage', (cause as Error).message, { hint: helpHint, cause });
  }
}

const helpHint = 'See npm run bench -- --help.';

function usage(flag: string, expected: string, received: string): QuarterturnError {
  return new QuarterturnError('usage', `${flag}: expected ${expected}. Received: ${received}.`, {
    hint: helpHint,
  });
}

export function helpText(rows: readonly { readonly name: string; readonly title: string }[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return `Usage: npm run bench -- [options]

Quarterturn and its peers side by side: each contender in a process of its own, in turns, on
the same weights and batches. PyTorch takes part in each version that PYTHON names, with its
allocator as installed and tuned, in each memory layout; the fastest peer whose numbers are
right is the row's peer, and the only ratio is against it. A training step is timed only after
the losses of the same ${gateSteps} steps were compared with float64's; other numbers that are off by
more than ${usualTolerance} are marked wrong (cosines of neighbours: ${neighboursTolerance}). Wants an idle machine; all rows
take well over an hour with two PyTorches.
bench/README.md says how to make a second PyTorch, and which libraries find neighbours.

Options:
  --only <rows>    rows or groups of rows, separated by commas (default: all)
  --json           print one JSON object, { row: { ours, bestPeer, ratioToBestPeer, … } }
  --write          write the tables to bench/RESULTS.md as well
  --rounds <n>     turns of each contender (default: 3)
  --steps <n>      timed steps of a turn (default: 7)
  --warmup <n>     steps of a turn before them (default: 2)
  --limit <s>      seconds for one turn of a contender, which is then ended (default: 180)
  --threads <n>    (default: all cores)
  --width <w>      this width in every row, for a quick look
  --batch <n>      this batch size in every row, for a quick look
  -h, --help

Environment:
  PYTHON           Pythons that have PyTorch, faiss or scikit-learn, separated by colons (default:
                   /usr/bin/python3, else python3); the first PyTorch computes the float64 losses
  What tunes memory or number libraries (MALLOC_*, LD_PRELOAD, OPENBLAS_*, OMP_*, ...) reaches
  no contender.

Rows:
${rows.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n')}

Groups:
${Object.entries(groups)
  .map(([name, members]) => `  ${name.padEnd(width)}  ${members.join(', ')}`)
  .join('\n')}
`;
}

import { type Contender, type Flags, runContender } from './contender.js';
import type { Fixtures } from './fixtures.js';
import type { Sample } from './programs/program.js';
import type { Progress } from './progress.js';
import { type ContenderResult, disagreement, type RowResult, speedOf } from './results.js';
import { ourProgram, type Row } from './rows.js';

export interface Pace {
  /** How often the contenders of a row take turns. */
  readonly rounds: number;
  /** Timed steps of a turn. */
  readonly steps: number;
  /** Steps before them. */
  readonly warmup: number;
}

/** What measuring needs beside the rows. */
export interface Bench extends Pace {
  readonly fixtures: Fixtures;
  readonly progress: Progress;
  /** Collects what did the work, in the programs' own words. */
  readonly versions: Set<string>;
}

/** Side of the square matrices whose product is the practical peak. */
export const peakSize = 2048;

/** Floating-point operations per second of a large matrix product: the best of several, since a peak is what can be. */
export async function measurePeak(bench: Bench, threads: number): Promise<number> {
  const contender: Contender = { name: '', role: 'ours', program: ourProgram('peak'), flags: {} };
  const flags = { threads, size: peakSize, warmup: 3, steps: 12 };
  const { stepMs } = await run(bench, contender, flags, peakJob(threads));
  return (2 * peakSize ** 3 * 1000) / Math.min(...stepMs);
}

/** A row's contenders, one after the other, round by round, so that the machine's moods meet all of them. */
export async function measureRow(bench: Bench, row: Row, peakFlops: number): Promise<RowResult> {
  const samples = new Map<Contender, Sample[]>(row.contenders.map((contender) => [contender, []]));
  const faults = new Map<Contender, string>();

  const attempt = async (contender: Contender, flags: Flags, job: string): Promise<Sample | undefined> => {
    if (faults.get(contender)?.startsWith('failed')) {
      bench.progress.skip(job);
      return undefined;
    }
    try {
      return await run(bench, contender, { threads: row.threads, ...flags }, job);
    } catch (error) {
      faults.set(contender, `failed: ${(error as Error).message.split('\n')[0]}`);
      bench.progress.note(`${job} failed: ${(error as Error).message}`);
      return undefined;
    }
  };
  const compare = (checked: ReadonlyMap<Contender, Sample | undefined>): void => {
    const reference = checked.get(referenceOf(row)!);
    for (const [contender, sample] of checked) {
      const wrong = reference && sample && disagreement(sample.checks, reference.checks);
      if (!wrong) continue;
      faults.set(contender, wrong);
      bench.progress.note(`${row.name}: ${contender.name} is ${wrong}`);
    }
  };

  if (row.gateSteps > 0) {
    const checked = new Map<Contender, Sample | undefined>();
    for (const contender of gated(row)) {
      const flags = { warmup: 0, steps: row.gateSteps };
      checked.set(contender, await attempt(contender, flags, gateJob(row, contender)));
    }
    compare(checked);
  }
  for (let round = 0; round < bench.rounds; round++) {
    for (const contender of row.contenders) {
      const sample = await attempt(contender, paceOf(bench, row, contender), timedJob(row, contender));
      if (sample) samples.get(contender)!.push(sample);
    }
    if (round === 0 && row.gateSteps === 0) compare(new Map([...samples].map(([c, all]) => [c, all[0]])));
  }

  const contenders = row.contenders.map((contender): ContenderResult => {
    const { name, role, note } = contender;
    const all = samples.get(contender)!;
    const fault = faults.get(contender);
    return {
      name,
      role,
      ...(note !== undefined && { note }),
      ...(fault !== undefined && { fault }),
      ...(all.length > 0 && { speed: speedOf(all, row, peakFlops) }),
    };
  });
  const { name, title, unit } = row;
  return { name, title, unit, contenders };
}

/** Kinds of all the program runs that rows ask for, in their order. */
export function jobsOf(rows: readonly Row[], rounds: number): string[] {
  const ofRow = (row: Row) => [
    ...(row.gateSteps > 0 ? gated(row).map((contender) => gateJob(row, contender)) : []),
    ...Array.from({ length: rounds }, () =>
      row.contenders.map((contender) => timedJob(row, contender)),
    ).flat(),
  ];
  return [...threadCountsOf(rows).map(peakJob), ...rows.flatMap(ofRow)];
}

/** Thread counts whose peak is needed. */
export function threadCountsOf(rows: readonly Row[]): number[] {
  return [...new Set(rows.map(({ threads }) => threads))];
}

const peakJob = (threads: number) => `peak, threads: ${threads}`;
const gateJob = (row: Row, { name }: Contender) => `${row.name}: ${name}: the same ${row.gateSteps} steps`;
const timedJob = (row: Row, { name }: Contender) => `${row.name}: ${name}`;

/** Whose numbers all others are compared with. */
function referenceOf({ contenders }: Row): Contender | undefined {
  return contenders.find(({ role }) => role === 'peer');
}

/** All that is ours, and the reference; the same peer in another layout is the peer's business. */
function gated(row: Row): Contender[] {
  const reference = referenceOf(row);
  return reference ? row.contenders.filter((c) => c.role !== 'peer' || c === reference) : [];
}

function paceOf({ steps, warmup }: Pace, { stepFactor }: Row, { slow }: Contender): Flags {
  // Its first, untimed run is the one whose numbers are compared.
  if (slow) return { warmup: 0, steps: 1 };
  return { warmup: warmup * stepFactor, steps: steps * stepFactor };
}

async function run(bench: Bench, contender: Contender, flags: Flags, job: string): Promise<Sample> {
  const files = (await contender.files?.(bench.fixtures)) ?? {};
  bench.progress.begin(job);
  try {
    const sample = await runContender(contender, { ...files, ...flags });
    bench.versions.add(sample.version);
    return sample;
  } finally {
    bench.progress.end();
  }
}

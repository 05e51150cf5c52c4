import { type Contender, type Flags, OutOfTime, runContender } from './contender.js';
import type { Fixtures } from './fixtures.js';
import { allowedDrift, driftOf, type Gate, outOfDrift } from './gate.js';
import { ourProgram } from './places.js';
import type { Sample } from './programs/program.js';
import type { Progress } from './progress.js';
import {
  type ContenderResult,
  disagreement,
  type Fault,
  type LossDrift,
  type RowResult,
  speedOf,
} from './results.js';
import type { Row } from './rows.js';

export interface Pace {
  /** How often the contenders of a row take turns. */
  readonly rounds: number;
  /** Timed steps of a turn. */
  readonly steps: number;
  /** Steps before them. */
  readonly warmup: number;
  /** What one turn may take. */
  readonly limitSeconds: number;
}

/** What measuring needs beside the rows. */
export interface Bench extends Pace {
  readonly fixtures: Fixtures;
  readonly progress: Progress;
  /** Collects what did the work, in the programs' own words. */
  readonly versions: Set<string>;
}

/** How many times slower than the fastest peer a peer is that takes no other turn: another one would not make it the best. */
export const hopeless = 1.5;

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
  const turns = new Turns(bench, row);
  const drift = row.gate && (await passGate(turns, row, row.gate));
  const samples = new Map<Contender, Sample[]>(row.contenders.map((contender) => [contender, []]));
  for (let round = 0; round < bench.rounds; round++) {
    const beaten = beatenPeers(samples);
    for (const contender of row.contenders) {
      if (beaten.has(contender)) {
        bench.progress.skip(timedJob(row, contender));
        continue;
      }
      const sample = await turns.take(contender, paceOf(bench, row, contender), timedJob(row, contender));
      if (sample) samples.get(contender)!.push(sample);
    }
    if (round === 0 && !row.gate) compareWithFirstPeer(turns, row, samples);
  }
  const contenders = row.contenders.map((contender): ContenderResult => {
    const { name, role, note } = contender;
    const all = samples.get(contender)!;
    const fault = turns.faultOf(contender);
    return {
      name,
      role,
      ...(note !== undefined && { note }),
      ...(fault !== undefined && { fault }),
      ...(all.length > 0 && { speed: speedOf(all, row, peakFlops) }),
    };
  });
  const { name, title, unit } = row;
  return { name, title, unit, contenders, ...(drift && { drift }) };
}

/** The turns of a row's contenders, and what was wrong with them. */
class Turns {
  readonly #bench: Bench;
  readonly #row: Row;
  readonly #faults = new Map<Contender, Fault>();

  constructor(bench: Bench, row: Row) {
    this.#bench = bench;
    this.#row = row;
  }

  faultOf(contender: Contender): Fault | undefined {
    return this.#faults.get(contender);
  }

  /** Run a contender's program; undefined where it does not end well, now or in a turn before. */
  async take(contender: Contender, flags: Flags, job: string): Promise<Sample | undefined> {
    const fault = this.#faults.get(contender);
    if (fault && fault.kind !== 'wrong') {
      this.#bench.progress.skip(job);
      return undefined;
    }
    try {
      return await run(this.#bench, contender, { threads: this.#row.threads, ...flags }, job);
    } catch (error) {
      const kind = error instanceof OutOfTime ? 'outOfTime' : 'failed';
      const { message } = error as Error;
      const label = kind === 'outOfTime' ? 'out of time' : 'failed';
      this.#faults.set(contender, { kind, text: `${label}: ${message.split('\n')[0]}` });
      this.#bench.progress.note(`${job} ${label}: ${message}`);
      return undefined;
    }
  }

  /** A contender's numbers are wrong. It runs on, so that its speed can be seen. */
  blame(contender: Contender, text: string): void {
    this.#faults.set(contender, { kind: 'wrong', text });
    this.#bench.progress.note(`${this.#row.name}: ${contender.name} is ${text}`);
  }
}

/** Compare the losses of the same steps with float64's. */
async function passGate(turns: Turns, row: Row, gate: Gate): Promise<LossDrift> {
  const { steps, reference, witnesses } = gate;
  const losses = new Map<Contender, readonly number[]>();
  for (const contender of gated(row, gate)) {
    const sample = await turns.take(contender, { warmup: 0, steps }, gateJob(row, contender));
    if (sample) losses.set(contender, sample.checks);
  }
  const exact = losses.get(reference);
  if (!exact) return { steps, largest: {}, unjudged: `float64 ${turns.faultOf(reference)!.text}` };
  losses.delete(reference);
  const drifts = new Map([...losses].map(([contender, all]) => [contender, driftOf(all, exact)]));
  const largest = Object.fromEntries([...drifts].map(([{ name }, drift]) => [name, drift.at(-1)!]));
  const known = [...drifts].filter(([contender]) => witnesses.includes(contender)).map(([, drift]) => drift);
  if (known.length === 0) return { steps, largest, unjudged: 'no PyTorch ran in float32' };
  const allowed = allowedDrift(known);
  for (const [contender, drift] of drifts) {
    const wrong = witnesses.includes(contender) ? undefined : outOfDrift(drift, allowed);
    if (wrong !== undefined) turns.blame(contender, wrong);
  }
  return { steps, largest };
}

/** Compare the numbers of the first turn with those of the first peer that has some. */
function compareWithFirstPeer(
  turns: Turns,
  { tolerance }: Row,
  samples: ReadonlyMap<Contender, readonly Sample[]>,
): void {
  const first = [...samples].filter(([, [sample]]) => sample !== undefined);
  const reference = first.find(([{ role }]) => role === 'peer')?.[1][0];
  for (const [contender, [sample]] of reference ? first : []) {
    const wrong = disagreement(sample!.checks, reference!.checks, tolerance);
    if (wrong !== undefined) turns.blame(contender, wrong);
  }
}

/** Peers that are too slow to become the best. */
function beatenPeers(samples: ReadonlyMap<Contender, readonly Sample[]>): ReadonlySet<Contender> {
  const fastest = new Map<Contender, number>();
  for (const [contender, all] of samples) {
    if (contender.role !== 'peer' || all.length === 0) continue;
    const msPerImage = all.flatMap(({ stepMs, imagesPerStep }) => stepMs.map((ms) => ms / imagesPerStep));
    fastest.set(contender, Math.min(...msPerImage));
  }
  const best = Math.min(...fastest.values());
  return new Set([...fastest].filter(([, ms]) => ms > hopeless * best).map(([contender]) => contender));
}

/** Kinds of all the program runs that rows ask for, in their order. */
export function jobsOf(rows: readonly Row[], rounds: number): string[] {
  const ofRow = (row: Row) => [
    ...(row.gate ? gated(row, row.gate).map((contender) => gateJob(row, contender)) : []),
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
const gateJob = (row: Row, { name }: Contender) => `${row.name}: ${name}: losses of the same steps`;
const timedJob = (row: Row, { name }: Contender) => `${row.name}: ${name}`;

/** Who runs the gate's steps: all that is ours, and PyTorch for what it is judged by. */
function gated({ contenders }: Row, { reference, witnesses }: Gate): Contender[] {
  return [reference, ...witnesses, ...contenders.filter(({ role }) => role !== 'peer')];
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
    const sample = await runContender(contender, { ...files, ...flags }, bench.limitSeconds);
    bench.versions.add(sample.version);
    return sample;
  } finally {
    bench.progress.end();
  }
}

import type { Contender } from './contender.js';
import type { Sample } from './programs/program.js';
import type { Row } from './rows.js';

/** Why a contender does not count: it failed, ran out of its time, or its numbers are wrong. */
export interface Fault {
  readonly kind: 'failed' | 'outOfTime' | 'wrong';
  /** `failed: status 1` */
  readonly text: string;
}

/** What a row found out about one contender. */
export interface ContenderResult extends Pick<Contender, 'name' | 'role' | 'note'> {
  readonly fault?: Fault;
  /** Absent where it failed. */
  readonly speed?: Speed;
}

export interface Speed {
  readonly imagesPerSecond: number;
  /** Over the timed steps of all rounds. */
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly slowestMs: number;
  readonly peakMemoryBytes: number;
  /** Of what the same number of threads reaches in a large matrix product, 0–1. */
  readonly shareOfPeak?: number;
}

export interface RowResult extends Pick<Row, 'name' | 'title' | 'unit'> {
  readonly contenders: readonly ContenderResult[];
  readonly drift?: LossDrift;
}

/** How far the losses of the row's gate are from float64's. */
export interface LossDrift {
  readonly steps: number;
  /** Largest distance of all steps, by contender. */
  readonly largest: Readonly<Record<string, number>>;
  /** Why nobody's losses were judged, where they were not. */
  readonly unjudged?: string;
}

/** Largest difference between logits or corners of gradients that rounding explains. */
export const usualTolerance = 1e-3;

/**
 * How far two contenders' numbers are apart: the largest difference, as far as both have some (a smaller batch has fewer).
 * NaN where either is not a number.
 */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  const common = Math.min(a.length, b.length);
  return a.slice(0, common).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

/** Why numbers are wrong, compared with the first peer's; undefined where they agree. */
export function disagreement(
  checks: readonly number[],
  reference: readonly number[],
  tolerance = usualTolerance,
): string | undefined {
  const difference = largestDifference(checks, reference);
  if (difference <= tolerance) return undefined;
  return `wrong: off by ${difference.toExponential(1)} (allowed: ${tolerance})`;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

/**
 * All rounds of one contender as one result.
 * @param peakFlops floating-point operations per second of the large matrix product
 */
export function speedOf(samples: readonly Sample[], row: Row, peakFlops: number | undefined): Speed {
  const stepMs = samples.flatMap((sample) => sample.stepMs);
  const medianMs = median(stepMs);
  const imagesPerSecond = (1000 * samples[0]!.imagesPerStep) / medianMs;
  const share =
    peakFlops && row.flopsPerImage ? (imagesPerSecond * row.flopsPerImage) / peakFlops : undefined;
  return {
    imagesPerSecond,
    medianMs,
    fastestMs: Math.min(...stepMs),
    slowestMs: Math.max(...stepMs),
    peakMemoryBytes: Math.max(...samples.map((sample) => sample.peakMemoryBytes)),
    ...(share !== undefined && { shareOfPeak: share }),
  };
}

/** Ours, where it ran and its numbers are right. */
export function oursOf({ contenders }: RowResult): Speed | undefined {
  return contenders.find(({ role, fault }) => role === 'ours' && fault === undefined)?.speed;
}

/** The peer: the fastest of all whose numbers are right. Ratios are against it. */
export function bestPeerOf({ contenders }: RowResult): (ContenderResult & { speed: Speed }) | undefined {
  const valid = contenders.filter(
    (c): c is ContenderResult & { speed: Speed } => c.role === 'peer' && !c.fault && c.speed !== undefined,
  );
  return valid.toSorted((a, b) => b.speed.imagesPerSecond - a.speed.imagesPerSecond)[0];
}

/** What `--json` prints of a row. Figures are images per second, or seconds where `unit` says so. */
export interface RowJson {
  readonly ours: number | null;
  /** The name of the fastest peer whose numbers are right. */
  readonly bestPeer: string | null;
  readonly peers: Readonly<Record<string, number>>;
  readonly ratioToBestPeer: number | null;
  readonly shareOfPeak: number | null;
  /** Of ours and of every other contender. */
  readonly peakMemoryBytes: Readonly<Record<string, number>>;
  readonly yardsticks?: Readonly<Record<string, number>>;
  readonly unit?: 's';
  /** By contender: failed, out of time, or wrong. */
  readonly faults?: Readonly<Record<string, string>>;
  /** By contender: largest distance of a loss from float64's. */
  readonly lossDrift?: Readonly<Record<string, number>>;
}

/** Whether a figure is missing or wrong for another reason than that a peer takes too long. */
export function isFaulty({ contenders }: RowResult): boolean {
  return contenders.some(({ role, fault }) => fault && !(role === 'peer' && fault.kind === 'outOfTime'));
}

export function rowJson(row: RowResult): RowJson {
  const ours = oursOf(row);
  const best = bestPeerOf(row);
  const inUnit = (speed: Speed) => rounded(row.unit === 's' ? speed.medianMs / 1000 : speed.imagesPerSecond);
  const byName = <T>(contenders: readonly ContenderResult[], value: (speed: Speed) => T) =>
    Object.fromEntries(contenders.flatMap(({ name, speed }) => (speed ? [[name, value(speed)]] : [])));
  const others = (role: Contender['role']) => row.contenders.filter((c) => c.role === role);
  const yardsticks = byName(others('yardstick'), inUnit);
  const faults = row.contenders.flatMap(({ name, fault }) => (fault ? [[name, fault.text] as const] : []));
  return {
    ours: ours ? inUnit(ours) : null,
    bestPeer: best?.name ?? null,
    peers: byName(others('peer'), inUnit),
    ratioToBestPeer: ours && best ? rounded(ours.imagesPerSecond / best.speed.imagesPerSecond) : null,
    shareOfPeak: ours?.shareOfPeak === undefined ? null : rounded(ours.shareOfPeak),
    peakMemoryBytes: byName(row.contenders, (speed) => speed.peakMemoryBytes),
    ...(Object.keys(yardsticks).length > 0 && { yardsticks }),
    ...(row.unit === 's' && { unit: 's' }),
    ...(faults.length > 0 && { faults: Object.fromEntries(faults) }),
    ...(row.drift && { lossDrift: row.drift.largest }),
  };
}

/** Four significant digits: more are noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

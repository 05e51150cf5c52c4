import type { ErrorBody } from '../api-error.js';

/** What trains now, or failed to, as pages are told it. */
export interface TrainingState {
  readonly runId: string;
  /**
   * `starting`: pictures are read, the machine is measured; `predicting`: the classifier is there, and is asked about the pile;
   * `failed`: nothing trains any more, and `error` says why.
   */
  readonly phase: 'starting' | 'training' | 'predicting' | 'stopping' | 'failed';
  /** Name of the stage; null before the first. */
  readonly stage: string | null;
  /** What is done, for people: `Pretraining on rotations`. */
  readonly stageText: string;
  /** What is gone through within the stage where that is no training step, for people; absent where nothing is. */
  readonly passText?: string;
  /** Of the stage, from 0. */
  readonly stageIndex: number;
  readonly stageCount: number;
  /** How far the stage is, or what is gone through within it, 0–1; null where nobody can tell. */
  readonly progress: number | null;
  /** Null where no images are trained with. */
  readonly imagesPerSecond: number | null;
  /** Until the run ends; absent where nobody can tell yet. */
  readonly etaMs?: number;
  /** When it was begun, or gone on with: ISO 8601, in UTC. */
  readonly startedAt: string;
  readonly error?: ErrorBody['error'];
}

/** A figure of a stage's training: `accuracy` and `loss` of the epoch so far, `heldBackAccuracy` at the end of an epoch, and so on. */
export type CurveSeries = 'loss' | 'accuracy' | 'heldBackLoss' | 'heldBackAccuracy' | 'agreement';

export interface CurvePoint {
  /** From 0, without a gap: a page that has seen a point asks for those from the next number on. */
  readonly seq: number;
  /** Name of the stage. */
  readonly stage: string;
  readonly series: CurveSeries;
  /** Steps of the stage so far. */
  readonly x: number;
  readonly y: number;
}

/** A page of a curve. */
export interface CurvePage {
  readonly runId: string;
  readonly points: readonly CurvePoint[];
  /** What to ask for next. */
  readonly next: number;
}

/** How good a classifier is, as far as labels that were held back can tell. */
export interface AccuracyEstimate {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** Labels that it is made from. */
  readonly heldBack: number;
}

/** A run of the project, whoever made it. */
export interface RunRow {
  /** Name of its folder. */
  readonly id: string;
  /** In the order in which they were begun, from 1. */
  readonly number: number;
  /** ISO 8601, in UTC. */
  readonly startedAt: string;
  readonly state: 'training' | 'stopped' | 'done' | 'failed';
  /** Why it failed. */
  readonly reason?: string;
  readonly preset: string;
  /** Time that it was to fit into. */
  readonly budgetMinutes?: number;
  /** Labels that it learned from; 0 where it has not got so far. */
  readonly labels: number;
  readonly estimate: AccuracyEstimate | null;
  /** Images whose label is another one now than the one that it learned; those that it learned without one among them. */
  readonly labelsChanged: number;
  readonly durationMs?: number;
}

/** What events tell of runs. */
export type RunDelta =
  | { readonly type: 'training'; readonly training: TrainingState | null }
  | { readonly type: 'curve'; readonly runId: string; readonly points: readonly CurvePoint[] }
  /** The list of runs is another one now. */
  | { readonly type: 'runs'; readonly revision: number };

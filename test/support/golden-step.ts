import type { Graph } from '../../src/graph/graph.js';
import { createNetwork } from '../../src/nn/network.js';
import { sgd } from '../../src/optim/sgd.js';
import { float32, scalar, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { flattenState, nextPrefix } from '../../src/train/state.js';
import { buildTrainStep, initialState, stepNames } from '../../src/train/train-step.js';
import { expectClose, type Shaped } from './numeric.js';

/** A tensor of `test/golden/rotnet-step.json`: whole, or its Euclidean norm and first values. */
type Golden =
  | { readonly shape: number[]; readonly data: number[] }
  | { readonly norm: number; readonly first: number[] };
type Whole = Extract<Golden, { data: number[] }>;

/** The part of the golden file that one SGD step needs. */
export interface GoldenFile {
  readonly width: number;
  readonly sgd: { readonly learningRate: number; readonly momentum: number };
  readonly cases: {
    readonly size12: {
      readonly images: Whole;
      readonly targets: Whole;
      readonly params: Readonly<Record<string, Whole>>;
      readonly buffers: Readonly<Record<string, Whole>>;
      readonly sgd: {
        readonly step1: {
          readonly loss: number;
          readonly params: Readonly<Record<string, Golden>>;
          readonly buffers: Readonly<Record<string, Golden>>;
        };
      };
    };
  };
}

/**
 * One whole RotNet training step (SGD, batch 8, 12 × 12) whose results PyTorch computed in float64.
 * Runs in a browser too.
 */
export function goldenStep({ width, sgd: { learningRate, momentum }, cases: { size12 } }: GoldenFile): {
  readonly graph: Graph;
  readonly inputs: Record<string, Tensor>;
} {
  const [batchSize, channels, height, columns] = size12.images.shape as [number, number, number, number];
  if (channels !== 1) throw new Error(`golden step: expected 1 channel. Received: ${channels}.`);
  const settings = {
    network: createNetwork({ backbone: 'rotnet', width, image: { height, width: columns, channels } }, 4),
    optimizer: sgd({ momentum }),
    batchSize,
    frozenBlocks: 0,
    batch: 'images',
    batchNormMomentum: 0.99,
  } as const;
  const weights = Object.fromEntries(
    Object.entries({ ...size12.params, ...size12.buffers }).map(([name, t]) => [
      name,
      float32(t.shape, t.data),
    ]),
  );
  return {
    graph: buildTrainStep(settings),
    inputs: {
      [stepNames.images]: tensor(
        'uint8',
        [batchSize, height, columns, 1],
        Uint8Array.from(size12.images.data),
      ),
      [stepNames.targets]: tensor('int32', [batchSize], Int32Array.from(size12.targets.data)),
      [stepNames.learningRate]: scalar(learningRate),
      ...flattenState(initialState(settings, weights)),
    },
  };
}

/**
 * What is off in the step's outputs against the golden values: nothing may differ by more than 2e-5 of its tensor's
 * largest value (PyTorch in float32 is itself off by 2e-6).
 */
export function goldenDifferences(
  { cases: { size12 } }: GoldenFile,
  outputs: Readonly<Record<string, Shaped>>,
): string[] {
  const { loss, params, buffers } = size12.sgd.step1;
  const wanted: [string, Golden][] = [
    [stepNames.loss, { shape: [], data: [loss] }],
    ...Object.entries({ ...params, ...buffers }).map(([name, g]): [string, Golden] => [nextPrefix + name, g]),
  ];
  return wanted.flatMap(([name, golden]) => {
    const values = Array.from(outputs[name]?.data ?? [], Number);
    const allowed = { absolute: 2e-5 * Math.max(...values.map(Math.abs)) };
    try {
      if ('data' in golden) {
        expectClose({ shape: outputs[name]?.shape ?? [], data: values }, golden, allowed, name);
      } else {
        expectClose(values.slice(0, golden.first.length), golden.first, allowed, name);
        expectClose([Math.hypot(...values)], [golden.norm], { relative: 2e-5 }, `${name}: norm`);
      }
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

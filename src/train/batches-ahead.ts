import type { BatchMaker, BatchRequest } from '../data/batch-maker.js';
import type { Tensor, Tensors } from '../tensor/tensor.js';
import { stepNames } from './train-step.js';

/** A batch as the training step takes it: `images` or `features`, and `targets`. */
export type StepBatch = Tensors;

/** A batch before its images are made: what they are to be, or their features, which are there already. */
export type PlannedBatch = {
  /** int32, one for each image that has a class; the images that have none come last. */
  readonly targets: Tensor<'int32'>;
} & ({ readonly images: BatchRequest } | { readonly features: Tensor<'float32'> });

/** Gives the batches of a training, step by step. */
export interface BatchesAhead {
  /**
   * The batch of the next step. Those of the steps after it are asked for at once, so that they are made while this one is
   * trained on: as many as the maker finds worth it.
   * @param end the first step of which it is not known yet what its batch will be
   */
  take(end: number): Promise<StepBatch>;
}

/**
 * @param first the first step whose batch will be taken
 * @param plan what the batch of a step (0-based, over all epochs) is; asked for once a step, in order
 */
export function batchesAhead(
  maker: BatchMaker,
  first: number,
  plan: (step: number) => PlannedBatch,
): BatchesAhead {
  const asked: Promise<StepBatch>[] = [];
  let next = first;
  const ask = (): Promise<StepBatch> => {
    const batch = make(maker, plan, next++);
    // One that fails is heard of by the step that takes it. A stage that ends before that has no use for it.
    batch.catch(() => {});
    return batch;
  };
  return {
    async take(end) {
      const batch = asked.shift() ?? ask();
      while (asked.length < maker.ahead && next < end) asked.push(ask());
      return batch;
    },
  };
}

async function make(
  maker: BatchMaker,
  plan: (step: number) => PlannedBatch,
  step: number,
): Promise<StepBatch> {
  const planned = plan(step);
  const { targets } = planned;
  return 'images' in planned
    ? { [stepNames.images]: await maker.make(planned.images), [stepNames.targets]: targets }
    : { [stepNames.features]: planned.features, [stepNames.targets]: targets };
}

/** The graphs that a run computes repeatedly: a step of pretraining, fine-tuning, self-training, a batch to be classified. */
export const stageGraphNames = ['train', 'finetune', 'selfTrain', 'classify'] as const;
export type StageGraphName = (typeof stageGraphNames)[number];

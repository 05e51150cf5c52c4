/** What a run computes over and over: a step of pretraining, fine-tuning, self-training, a batch to be classified. */
export const stageGraphNames = ['train', 'finetune', 'selfTrain', 'classify'] as const;
export type StageGraphName = (typeof stageGraphNames)[number];

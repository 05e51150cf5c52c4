/**
 * The notebook, from top to bottom, and a step beyond it: a hundred labels, sixty thousand images, one classifier.
 *
 *   npm run example -- mnist-100-labels
 */
import { writeFile } from 'node:fs/promises';
import {
  baseline,
  exportClassifier,
  fineTune,
  MemoryStore,
  pileGraph,
  pretrain,
  type RunEvent,
  selfTrain,
  settingsFor,
  summary,
} from 'quarterturn';
import { BatchWorker, createNodeRuntime, readMnist } from 'quarterturn/node';

const percent = (accuracy = Number.NaN) => `${(100 * accuracy).toFixed(2)} %`;

// Data: 60,000 training images. Only the first 10 of each class will ever show their label to the training.
const data = await readMnist();
console.log(`${data.train.images.count} training images, ${data.test?.images.count} test images`);

// Where graphs run, what to do, and where checkpoints go (`RunFolder` keeps them on disk).
const context = {
  settings: settingsFor('quick'),
  data,
  runtime: await createNodeRuntime({ device: 'cpu' }),
  store: new MemoryStore(),
  // The next batches are made on a thread while the kernels run.
  batchMakerFor: new BatchWorker().makerFor,
  emit: (event: RunEvent) => {
    if (event.type !== 'epoch-end') return;
    const { stage, epoch, train, imagesPerSecond } = event.record;
    if (stage === 'pretrain' || epoch % 50 === 0) {
      console.log(
        `  ${stage} ${epoch}: accuracy ${percent(train.accuracy)}, ${imagesPerSecond.toFixed(0)} images/s`,
      );
    }
  },
};

// Part 1, self-supervised: every unlabelled image in four turns; which turn was it?
const pretrained = await pretrain(context);
console.log(`Rotation, test images: ${percent(pretrained.test?.metrics.accuracy)}`);
console.log(`Parameters: ${summary(pretrained.network).totalParams}`);

// Part 2, transfer: a new head on the pretrained backbone, trained on the 100 labels.
const classifier = await fineTune(context, { draw: 0, backbone: pretrained.weights });
console.log(`100 labels, test images: ${percent(classifier.test?.metrics.accuracy)} (the notebook: 87.87 %)`);

// Part 3, the comparison: the same network from scratch on the same 100 labels, with and without the trap.
const supervised = await baseline(context, { draw: 0 });
console.log(`Baseline, test images: ${percent(supervised.test?.metrics.accuracy)}`);
console.log(`Baseline, statistics re-estimated: ${percent(supervised.testReestimated?.metrics.accuracy)}`);

// Part 4, beyond the notebook: images that look alike are of one class, so the labels spread over the other 59,900
// images, and the network learns from all of them.
const start = await fineTune(context, { draw: 0, stage: 'scratch' });
const selfTrained = await selfTrain(context, start, { draw: 0, pileGraph: () => pileGraph(context) });
console.log(`Self-trained, test images: ${percent(selfTrained.test?.metrics.accuracy)}`);

// The result: one file that any ONNX runtime can use.
await writeFile('digits.onnx', exportClassifier({ ...selfTrained, classNames: data.train.classNames }));
console.log('digits.onnx: uint8 images in, probabilities out');

/**
 * A network of one's own, trained from TypeScript: two dense layers learn MNIST's digits.
 *
 *   npm run example -- mlp
 */
import {
  adam,
  compileStep,
  countCorrect,
  crossEntropy,
  dense,
  exportNetwork,
  imagesToMaps,
  network,
  oneCycle,
  Random,
  relu,
  reshape,
  tensor,
} from 'quarterturn/engine';
import { createNodeRuntime, readMnist } from 'quarterturn/node';

const [batchSize, epochs] = [128, 4];
const { train, test = train } = await readMnist();
const runtime = await createNodeRuntime({ device: 'cpu' });

// The network: layers, and how its output comes from its input. Any op may stand between them.
const mlp = network({ hidden: dense('hidden', 784, 256), out: dense('out', 256, 10) }, ({ hidden, out }, x) =>
  out(relu(hidden(reshape(imagesToMaps(x), [x.shape[0] ?? 1, 784])))),
);
const image = { dtype: 'uint8', shape: [batchSize, 28, 28, 1] } as const;
// The step: forward pass, gradients and update as one graph.
const step = await compileStep(runtime, {
  network: mlp,
  inputs: { x: image, targets: { dtype: 'int32', shape: [batchSize] } },
  loss: (y, { targets }) => ({ loss: crossEntropy(y, targets), correct: countCorrect(y, targets) }),
  optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }),
  init: Random.seeded(1),
});

const stepsPerEpoch = Math.floor(train.images.count / batchSize);
async function* batches() {
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = Random.seeded(2).split(epoch).permutation(train.images.count);
    for (let i = 0; i < stepsPerEpoch; i++) {
      const some = Uint32Array.from(order.subarray(i * batchSize, (i + 1) * batchSize));
      const targets = Int32Array.from(some, (index) => train.labels?.[index] ?? 0);
      yield { x: await train.images.read(some), targets: tensor('int32', [batchSize], targets) };
    }
  }
}
let correct = 0;
const schedule = oneCycle({ peak: 3e-3, totalSteps: epochs * stepsPerEpoch });
for await (const { step: at, figures } of step.train(batches(), { schedule })) {
  correct += figures.correct ?? 0;
  if ((at + 1) % stepsPerEpoch > 0) continue;
  console.log(
    `epoch ${(at + 1) / stepsPerEpoch}: ${((100 * correct) / (stepsPerEpoch * batchSize)).toFixed(2)} % right`,
  );
  correct = 0;
}

// The result: one ONNX file that takes any number of images.
const classifier = await runtime.load(exportNetwork(mlp, step.weights(), { x: image }));
const { output } = await classifier.run({
  x: await test.images.read(Uint32Array.from(test.labels ?? [], (_, i) => i)),
});
const right = test.labels?.filter((label, i) => {
  const row = Array.from(output?.data.subarray(10 * i, 10 * i + 10) ?? [], Number);
  return row[label] === Math.max(...row);
});
console.log(`test images: ${((100 * (right?.length ?? 0)) / test.images.count).toFixed(2)} %`);

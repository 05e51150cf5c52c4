import { expect, test } from 'vitest';
import {
  crossEntropy,
  decodeSafetensors,
  encodeSafetensors,
  float32,
  gradients,
  graph,
  input,
  matMul,
  mul,
  Random,
  sub,
  type Tensor,
  tensor,
  zeros,
} from '../src/engine.js';
import { createNodeRuntime } from '../src/node.js';

/** What a user of the engine writes, with nothing but what the entries export. */

const [images, pixels, classes, learningRate] = [128, 784, 10, 0.1];
const random = Random.seeded(7);
const x = float32(
  [images, pixels],
  Array.from({ length: images * pixels }, () => random.normal()),
);
const targets = tensor(
  'int32',
  [images],
  Int32Array.from({ length: images }, () => random.integer(classes)),
);

/** Softmax regression by plain gradient descent: `(x, targets, kernel) → (loss, next)`. */
function descent() {
  const kernel = input('kernel', 'float32', [pixels, classes]);
  const logits = matMul(input('x', 'float32', [images, pixels]), kernel);
  const loss = crossEntropy(logits, input('targets', 'int32', [images]));
  const [slope] = gradients(loss, [kernel]);
  return graph({ loss, next: sub(kernel, mul(slope!, learningRate)) });
}

test('a training step of one’s own: the first step is the one on paper, and the loss falls with each', async () => {
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const program = await runtime.compile(descent());
  let kernel: Tensor = zeros('float32', [pixels, classes]);
  const losses: number[] = [];
  for (let step = 0; step < 30; step++) {
    const { loss, next } = await program.run({ x, targets, kernel });
    losses.push(Number(loss!.data[0]));
    kernel = next!;
    if (step > 0) continue;
    // From zeros every class has probability 1/K: ∂L/∂w = xᵀ(1/K − onehot(target)) / N.
    const onPaper = new Float64Array(pixels * classes);
    for (let n = 0; n < images; n++) {
      for (let i = 0; i < pixels; i++) {
        for (let k = 0; k < classes; k++) {
          const error = 1 / classes - (targets.data[n] === k ? 1 : 0);
          onPaper[i * classes + k]! -= (learningRate * x.data[n * pixels + i]! * error) / images;
        }
      }
    }
    const off = onPaper.map((w, i) => Math.abs(w - Number(kernel.data[i])));
    expect(Math.max(...off)).toBeLessThan(1e-6);
  }
  await program.release();
  expect(losses[0]).toBeCloseTo(Math.log(classes), 5);
  for (let step = 1; step < losses.length; step++) expect(losses[step]).toBeLessThan(losses[step - 1]!);

  const kept = decodeSafetensors('kernel.safetensors', encodeSafetensors({ kernel }, { steps: '30' }));
  expect(kept).toEqual({ tensors: { kernel }, metadata: { steps: '30' } });
});

/**
 * A recurrent network of one's own: it reads a text letter by letter, learns what comes next, and goes on by itself.
 *
 *   npm run example -- characters
 */
import { readFileSync } from 'node:fs';
import {
  adam,
  add,
  compileStep,
  concat,
  crossEntropy,
  dense,
  exportNetwork,
  network,
  oneCycle,
  oneHot,
  Random,
  reshape,
  slice,
  tanh,
  tensor,
} from 'quarterturn/engine';
import { createNodeRuntime } from 'quarterturn/node';

// Any text will do. Its letters are classes.
const text = readFileSync(process.argv[2] ?? import.meta.filename, 'utf8');
const letters = [...new Set(text)].sort();
const ids = Int32Array.from(text, (letter) => letters.indexOf(letter));
const [rows, length, units, steps] = [32, 32, 192, 1000];

/** hₜ = tanh(read(xₜ) + remember(hₜ₋₁)): the same layers for each letter, which share their tensors. */
const reader = network(
  {
    read: dense('read', letters.length, units),
    remember: dense('remember', units, units),
    say: dense('say', units, letters.length),
  },
  ({ read, remember, say }, x) => {
    const [n = 1, letterCount = 1] = x.shape;
    const each = reshape(oneHot(reshape(x, [n * letterCount]), letters.length), [
      n,
      letterCount * letters.length,
    ]);
    const letterAt = (t: number) =>
      slice(each, { axis: 1, from: t * letters.length, to: (t + 1) * letters.length });
    let memory = tanh(read(letterAt(0)));
    const said = [say(memory)];
    for (let t = 1; t < letterCount; t++) {
      memory = tanh(add(read(letterAt(t)), remember(memory)));
      said.push(say(memory));
    }
    return concat(said, 0); // letter by letter, of all rows: [length · rows, letters]
  },
);

const runtime = await createNodeRuntime({ device: 'cpu' });
const step = await compileStep(runtime, {
  network: reader,
  inputs: { x: { dtype: 'int32', shape: [rows, length] }, next: { dtype: 'int32', shape: [length * rows] } },
  loss: (logits, { next }) => crossEntropy(logits, next),
  optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }),
  init: Random.seeded(1),
  clipNorm: 1,
});

function* batches() {
  for (let i = 0; i < steps; i++) {
    const random = Random.seeded(2).split(i);
    const starts = Array.from({ length: rows }, () => random.integer(ids.length - length - 1));
    const x = starts.flatMap((start) => [...ids.subarray(start, start + length)]);
    const next = Array.from(
      { length: length * rows },
      (_, at) => ids[starts[at % rows]! + 1 + Math.floor(at / rows)]!,
    );
    yield {
      x: tensor('int32', [rows, length], Int32Array.from(x)),
      next: tensor('int32', [length * rows], Int32Array.from(next)),
    };
  }
}
for await (const { step: at, figures } of step.train(batches(), {
  schedule: oneCycle({ peak: 5e-3, totalSteps: steps }),
}))
  if ((at + 1) % 100 === 0) console.log(`step ${at + 1}: ${figures.loss.toFixed(3)} nats a letter`);

// What it says after the letters that it read last, one at a time.
const program = await runtime.load(
  exportNetwork(reader, step.weights(), { x: { dtype: 'int32', shape: [1, length] } }),
);
let written = text.slice(0, length);
while (written.length < 160) {
  const last = Int32Array.from(written.slice(-length), (letter) => letters.indexOf(letter));
  const { output } = await program.run({ x: tensor('int32', [1, length], last) });
  const logits = Array.from(output?.data.subarray(-letters.length) ?? [], Number);
  written += letters[logits.indexOf(Math.max(...logits))] ?? '';
}
console.log(written);

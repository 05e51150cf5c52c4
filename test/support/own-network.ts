import {
  adam,
  add,
  compileStep,
  concat,
  constantRate,
  convUnit,
  crossEntropy,
  dense,
  exportNetwork,
  float32,
  gelu,
  globalPool,
  mul,
  network,
  Random,
  type Runtime,
  reshape,
  sequential,
  sigmoid,
  slice,
  tanh,
  tensor,
} from '../../src/engine.js';

/** A network of one's own that has a bit of everything, trained alike wherever its runtime is. */

const [rows, side, units, classes] = [8, 8, 12, 3];
const x = { dtype: 'float32', shape: [rows, 1, side, side] } as const;

const own = network(
  {
    body: sequential('body', [
      convUnit({ name: 'body.conv', kernelSize: 3, channels: 6 }),
      globalPool('body.mean'),
    ])([1, side, side]),
    gate: dense('gate', side, units),
    inside: dense('inside', side, units),
    again: dense('again', units, units),
    out: dense('out', units + 6, classes),
  },
  ({ body, gate, inside, again, out }, maps) => {
    const lines = reshape(maps, [maps.shape[0] ?? 1, side * side]);
    const line = (at: number) => slice(lines, { axis: 1, from: at * side, to: (at + 1) * side });
    let memory = tanh(inside(line(0)));
    for (let at = 1; at < 3; at++) {
      const seen = add(inside(line(at)), again(memory));
      memory = add(memory, mul(sigmoid(gate(line(at))), tanh(seen)));
    }
    return out(concat([gelu(memory), body(maps)], 1));
  },
);

/** Losses of some steps, and what the exported file then says of three images. */
export async function trainOwnNetwork(
  runtime: Runtime,
): Promise<{ readonly losses: readonly number[]; readonly answers: readonly number[] }> {
  const random = Random.seeded(5);
  const batches = Array.from({ length: 20 }, () => {
    const targets = Int32Array.from({ length: rows }, () => random.integer(classes));
    const pixels = Array.from(targets, (k) =>
      Array.from({ length: side * side }, (_, i) => Math.sin((i * (k + 1)) / 5) + 0.2 * random.normal()),
    );
    return { x: float32(x.shape, pixels.flat()), targets: tensor('int32', [rows], targets) };
  });
  await using step = await compileStep(runtime, {
    network: own,
    inputs: { x, targets: { dtype: 'int32', shape: [rows] } },
    loss: (logits, { targets }) => crossEntropy(logits, targets),
    optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }),
    init: Random.seeded(6),
    clipNorm: 1,
    averageDecay: 0.5,
  });
  const losses: number[] = [];
  for await (const { figures } of step.train(batches, { schedule: constantRate(0.02) }))
    losses.push(figures.loss);
  const file = exportNetwork(own, step.weights(), { x });
  await using program = await runtime.load(file, 'own network');
  const some = float32(
    [3, 1, side, side],
    Array.from({ length: 3 * side * side }, (_, i) => Math.cos(i)),
  );
  const { output } = await program.run({ x: some });
  return { losses, answers: Array.from(output?.data ?? [], Number) };
}

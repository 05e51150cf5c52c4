import { Random } from '../../src/random/random.js';
import type { EvaluationRecord } from '../../src/report/evaluation-record.js';
import { toBase64 } from '../../src/store/base64.js';
import type { ConfusionMatrix, ImageGrid } from '../../src/store/exhibits-record.js';
import type { RunRecord } from '../../src/store/run-record.js';
import { EvaluationTally } from '../../src/train/classifier-evaluation.js';
import { sampleRecord } from './sample-record.js';

/** Names that reports have to cope with: scripts, directions, marks, lengths. */
export const oddNames: readonly string[] = [
  'cat',
  'German shepherd dog',
  '猫',
  'シベリアンハスキー',
  'قطة',
  'חתול בית',
  '👩‍🔬',
  '🇫🇷',
  'é́',
  '007',
  '<b>bold</b> & "quoted"',
  'n02123045 tabby, tabby cat, '.repeat(8).slice(0, 200),
  'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch',
  ' ',
];

/** K names: the odd ones first, then plain ones. */
export function classNames(k: number): readonly string[] {
  return Array.from({ length: k }, (_, i) => oddNames[i] ?? `class ${String(i).padStart(3, '0')}`);
}

const size = { height: 28, width: 28, channels: 1 } as const;

function pixels(random: Random): Uint8Array {
  const [cx, cy, r] = [random.integer(28), random.integer(28), 3 + random.integer(9)];
  return Uint8Array.from({ length: 28 * 28 }, (_, i) =>
    Math.hypot((i % 28) - cx, Math.floor(i / 28) - cy) < r ? 230 : 30 + random.integer(20),
  );
}

/** Answers to `perClass` images of each class, of which about a fifth are wrong. */
function* answers(names: readonly string[], perClass: number) {
  const random = Random.seeded(7).split('answers', names.length);
  for (const [actual, label] of names.entries()) {
    for (let n = 0; n < perClass; n++) {
      const isRight = random.uniform() > 0.2;
      const other = (actual + 1 + random.integer(Math.max(1, Math.min(5, names.length - 1)))) % names.length;
      const predicted = isRight ? actual : other;
      yield {
        name: `${label}/${n}.png`,
        label,
        actual,
        predicted,
        confidence: 0.5 + random.uniform() / 2,
        random,
      };
    }
  }
}

/** A run's record on data of such classes. */
export function recordWithClasses(names: readonly string[]): RunRecord {
  const record = sampleRecord();
  const cells = new Map<string, [number, number, number]>();
  const grid: { tiles: ImageGrid['tiles'][number][] } = { tiles: [] };
  for (const { actual, predicted, label, random } of answers(names, names.length > 200 ? 10 : 100)) {
    const cell = cells.get(`${actual} ${predicted}`) ?? [actual, predicted, 0];
    cell[2] += 1;
    cells.set(`${actual} ${predicted}`, cell);
    if (grid.tiles.length >= 64 || random.uniform() > 64 / names.length) continue;
    const caption = `${names[predicted]} (${label})`;
    grid.tiles.push({ pixels: toBase64(pixels(random)), caption, wrong: actual !== predicted });
  }
  const confusion = (title: string): ConfusionMatrix => ({
    title,
    classNames: names,
    cells: [...cells.values()],
  });
  return {
    ...record,
    config: { ...record.config, data: { origin: 'photos' } },
    exhibits: {
      ...record.exhibits,
      grids: [...record.exhibits.grids.slice(0, 2), { title: 'Test images', columns: 8, ...size, ...grid }],
      confusions: [
        ...record.exhibits.confusions.slice(0, 1),
        confusion('Test images, after fine-tuning'),
        confusion('Test images, after self-training'),
      ],
      classCounts: names.map((name, k) => ({ name, train: 40 + ((k * 733) % 61), labelled: 1 + (k % 10) })),
    },
  };
}

/** A model's evaluation on data of such classes, and of two that it does not know. */
export function evaluationWithClasses(names: readonly string[]): EvaluationRecord {
  const tally = new EvaluationTally(names, { shown: 40, threshold: 0.5 });
  for (const { name, label, predicted, confidence, random } of answers(
    names,
    names.length > 200 ? 10 : 100,
  )) {
    const probabilities = new Float32Array(names.length).fill(
      (1 - confidence) / Math.max(1, names.length - 1),
    );
    probabilities[predicted] = confidence;
    tally.add({ name, label, probabilities, pixels: pixels(random) });
    if (random.uniform() < 0.01) tally.add({ name, label: 'zebra', probabilities, pixels: pixels(random) });
  }
  return {
    model: 'runs/five/models/classifier.onnx',
    data: 'photos',
    part: 'the 1,000 labelled test images',
    size,
    evaluation: tally.result(),
    unlabelled: 3,
    skipped: [{ name: 'photos/cut.jpg', reason: 'JPEG file that is cut off' }],
  };
}

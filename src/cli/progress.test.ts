import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import { presets } from '../recipes/presets.js';
import { stageNamed } from '../recipes/stages/registry.js';
import type { RunEvent } from '../store/run-event.js';
import type { EpochRecord } from '../store/run-record.js';
import {
  createProgress,
  formatBar,
  formatEpoch,
  formatEvaluation,
  formatPass,
  formatStageStart,
  formatStep,
} from './progress.js';
import { formatRun } from './run-report.js';
import { createStyles } from './terminal.js';

const plain = createStyles(false);
const colored = createStyles(true);

const stageStart = {
  type: 'stage-start',
  stage: 'pretrain',
  draw: 0,
  title: 'Pretraining on rotations',
  totalSteps: 29_960,
  fromStep: 0,
  epochs: 20,
  stepsPerEpoch: 1498,
} as const;
const step = {
  type: 'step',
  stage: 'pretrain',
  epoch: 3,
  step: 3745,
  totalSteps: 29_960,
  metrics: { accuracy: 0.87654, loss: 0.43211 },
  learningRate: 0.1,
  imagesPerSecond: 812.4,
  etaMs: 5_040_000,
  waitMs: 0,
} as const;
const record: EpochRecord = {
  stage: 'pretrain',
  draw: 0,
  epoch: 3,
  step: 4494,
  train: { accuracy: 0.87654, loss: 0.43211 },
  val: { accuracy: 0.9, loss: 0.3 },
  learningRate: 0.1,
  durationMs: 72_000,
  imagesPerSecond: 812.4,
};
const pass = { type: 'pass', title: 'Caching features', done: 45, total: 100, etaMs: 3000 } as const;

describe('formatStep', () => {
  test('tells when the whole run ends, once that is known', () => {
    const runEtaMs = 7_200_000;
    expect(formatStep({ ...step, runEtaMs }, 20, 40, plain)).toMatch(/ETA 2 h 0 min$/);
    expect(formatPass({ ...pass, runEtaMs }, 60, plain)).toMatch(/ETA 2 h 0 min$/);
  });

  test.each([
    [
      120,
      'pretraining  epoch  3/20  [==>                    ]  3,745/29,960  812 images/s  loss 0.4321  acc 87.7 %  ETA 1 h 24 min',
    ],
    [79, 'epoch  3/20  [>        ]  812 images/s  loss 0.4321  acc 87.7 %  ETA 1 h 24 min'],
    [60, 'epoch  3/20  loss 0.4321  acc 87.7 %  ETA 1 h 24 min'],
    [40, 'epoch  3/20  loss 0.4321  ETA 1 h 24 min'],
    [20, 'epoch  3/20'],
    [7, 'epoch  '],
    [0, ''],
  ])('in %d columns', (width, line) => {
    expect(formatStep(step, 20, width, plain)).toBe(line);
  });

  test('is never wider than asked, whatever the width, and colour changes no column', () => {
    for (let width = 0; width < 200; width++) {
      const line = formatStep(step, 20, width, plain);
      expect(line.length).toBeLessThanOrEqual(width);
      expect(stripVTControlCharacters(formatStep(step, 20, width, colored))).toBe(line);
    }
  });

  test('self-training shows what it knows of the pile, not its objective', () => {
    const selfTraining = {
      ...step,
      stage: 'selfTrain',
      metrics: { accuracy: 0.9812, loss: -1.7321 },
      step: 40,
      totalSteps: 600,
    } as const;
    const pile = { information: 2.113, agreement: 0.9524, smallestClass: 0.09 };
    expect(formatStep(selfTraining, 4, 77, plain, pile)).toContain('labels 98.1 %  pile agrees 95.2 %');
    expect(formatStep(selfTraining, 4, 77, plain)).not.toMatch(/loss|pile/);
    expect(
      formatStep({ ...selfTraining, metrics: { accuracy: 0.1, loss: Number.NaN } }, 4, 77, plain),
    ).toContain('loss —');
  });

  test('marks a loss that left the numbers', () => {
    const lost = { ...step, metrics: { accuracy: 0.25, loss: Number.NaN } };
    expect(formatStep(lost, 20, 100, colored)).toContain('\x1b[31mloss —\x1b[39m');
  });
});

describe('formatPass', () => {
  test('title, bar, per cent, ETA', () => {
    expect(formatPass(pass, 77, plain)).toBe(
      'Caching features  [============>               ]  45 %  ETA 3.0 s',
    );
    expect(formatPass(pass, 25, plain)).toBe('Caching features  45 %');
    expect(formatPass({ ...pass, done: 0, total: 0 }, 25, plain)).toBe('Caching features  100 %');
  });

  test('a title beyond ASCII or with control characters stays within the line', () => {
    const line = formatPass({ ...pass, title: `画像\n${'数'.repeat(50)}` }, 21, plain);
    expect(line).toBe(`画像 ${'数'.repeat(8)}`);
  });
});

describe('lasting lines', () => {
  test('stage', () => {
    expect(formatStageStart(stageStart, plain)).toBe('Pretraining on rotations  20 epochs, 29,960 steps');
    const resumed = { ...stageStart, epochs: 1, fromStep: 3000 };
    expect(formatStageStart(resumed, plain)).toBe(
      'Pretraining on rotations  1 epoch, 29,960 steps, resumed after step 3,000',
    );
    expect(formatStageStart({ ...stageStart, draw: 2, fromStep: 29_960 }, plain)).toBe(
      'Pretraining on rotations, draw 2  20 epochs, 29,960 steps, done before',
    );
  });

  test('epoch, with and without validation', () => {
    expect(formatEpoch(record, 20, Number.POSITIVE_INFINITY, plain)).toBe(
      'epoch  3/20  train 87.65 %  loss 0.4321  val 90.00 %  loss 0.3000  812 images/s  1 min 12 s',
    );
    expect(formatEpoch(record, 20, 80, plain)).toBe(
      'epoch  3/20  train 87.65 %  loss 0.4321  val 90.00 %  loss 0.3000  1 min 12 s',
    );
    const { val: _, ...withoutVal } = record;
    expect(formatEpoch(withoutVal, undefined, 80, plain)).toBe(
      'epoch 3  train 87.65 %  loss 0.4321  812 images/s  1 min 12 s',
    );
  });

  test('epoch of self-training: labels, agreement, information, within 80 columns', () => {
    const { val: _, ...withoutVal } = record;
    const selfTraining = {
      ...withoutVal,
      stage: 'selfTrain',
      train: { accuracy: 0.9765, loss: -1.8321 },
      pile: { information: 2.1134, agreement: 0.9524, smallestClass: 0.09 },
    } as const;
    expect(formatEpoch(selfTraining, 4, 80, plain)).toBe(
      'epoch 3/4  labels 97.65 %  pile agrees 95.24 %  information 2.113  1 min 12 s',
    );
  });

  test('evaluation', () => {
    expect(formatEvaluation('Rotation, test', { accuracy: 0.9948, loss: 0.01534 }, plain)).toBe(
      'Rotation, test: accuracy 99.48 %, loss 0.0153',
    );
  });
});

test.each([
  [0, '[        ]'],
  [0.01, '[        ]'],
  [0.5, '[===>    ]'],
  [0.9, '[======> ]'],
  [1, '[========]'],
  [1.5, '[========]'],
  [Number.NaN, '[        ]'],
])('formatBar(%d)', (fraction, bar) => {
  expect(formatBar(fraction, 10)).toBe(bar);
});

describe('createProgress', () => {
  function record80(isTTY: boolean, color = false, columns = 80) {
    const writes: string[] = [];
    const clock = { ms: 0 };
    const progress = createProgress({
      stream: { write: (text) => writes.push(text) },
      isTTY,
      color,
      columns: () => columns,
      now: () => clock.ms,
    });
    return { writes, clock, ...progress };
  }

  const everything: RunEvent[] = [
    stageStart,
    step,
    pass,
    { type: 'epoch-end', record },
    { type: 'checkpoint', path: 'runs/a/latest', step: 1 },
    { type: 'evaluated', title: 'Test', metrics: record.train },
    { type: 'stage-failed', stage: 'finetune', draw: 0, reason: 'two\nlines \x1b[2J' },
  ];

  test('without a terminal prints only the lasting lines, whole and free of control codes', () => {
    const { writes, clock, listener, end } = record80(false);
    for (const event of everything) {
      listener(event);
      clock.ms += 30_000;
    }
    end();
    expect(writes).toEqual([
      'Pretraining on rotations  20 epochs, 29,960 steps\n',
      'epoch  3/20  train 87.65 %  loss 0.4321  val 90.00 %  loss 0.3000  812 images/s  1 min 12 s\n',
      'Test: accuracy 87.65 %, loss 0.4321\n',
      'two lines  [2J The run goes on without it.\n',
    ]);
  });

  test.each([40, 20])(
    'in a terminal of %d columns no line is wider, live or lasting, and nothing is lost',
    (columns) => {
      for (const color of [false, true]) {
        const { writes, clock, listener, note, end } = record80(true, color, columns);
        const title = 'Fine-tuning on 100 labels, of the pretrained network';
        const events: RunEvent[] = [
          stageStart,
          { ...stageStart, title, draw: 2, fromStep: 3000 },
          ...everything,
          { type: 'evaluated', title: 'rotations of validation images', metrics: record.train },
        ];
        for (const event of events) {
          listener(event);
          clock.ms += 200;
        }
        note('Data  MNIST: 60,000 training and 10,000 test images, 28×28, 10 classes');
        end();
        const text = stripVTControlCharacters(writes.join(''));
        for (const line of text.split(/[\r\n]/)) expect([...line].length).toBeLessThanOrEqual(columns);
        const words = text.split(/\s+/).join(' ');
        expect(words).toContain('Pretraining on rotations 20 epochs, 29,960 steps ');
        expect(words).toContain(`${title}, draw 2 20 epochs, 29,960 steps, resumed after step 3,000`);
        expect(words).toContain('rotations of validation images: accuracy 87.65 %, loss 0.4321');
        expect(words).toContain('Data MNIST: 60,000 training and 10,000 test images, 28×28, 10 classes');
      }
    },
  );

  test('a word that is wider than the terminal stays whole', () => {
    const { writes, listener } = record80(true, false, 20);
    const run = 'runs/a-name-of-more-than-twenty-columns';
    listener({ type: 'run-start', run, stages: ['pretrain'], draws: 1, resumed: false });
    expect(writes).toEqual(['Run\nruns/a-name-of-more-than-twenty-columns\n']);
  });

  test('on a terminal rewrites one line, and clears it before a lasting one and at the end', () => {
    const { writes, clock, listener, end } = record80(true);
    listener(stageStart);
    listener(step);
    clock.ms += 100;
    listener({ ...step, step: 7490 });
    listener({ type: 'epoch-end', record });
    clock.ms += 100;
    listener(pass);
    end();
    end();
    expect(writes).toEqual([
      'Pretraining on rotations  20 epochs, 29,960 steps\n',
      `\r${formatStep(step, 20, 77, plain)}\x1b[K`,
      `\r${formatStep({ ...step, step: 7490 }, 20, 77, plain)}\x1b[K`,
      '\r\x1b[K',
      `${formatEpoch(record, 20, 80, plain)}\n`,
      `\r${formatPass(pass, 77, plain)}\x1b[K`,
      '\r\x1b[K',
    ]);
  });

  test('leaves a validation to the line of its epoch', () => {
    const { writes, listener } = record80(false);
    const evaluated = { type: 'evaluated', title: 'Test', metrics: record.train } as const;
    for (const event of [step, evaluated, { type: 'epoch-end', record } as const]) listener(event);
    expect(writes).toHaveLength(1);
    listener(evaluated);
    expect(writes).toHaveLength(2);
  });

  test.each([
    [20, 20],
    [21, 11],
    [250, 13],
    [999, 20],
    [20_001, 11],
  ])('of %d epochs tells %d on a terminal', (epochs, lines) => {
    const { writes, listener } = record80(true);
    listener({ ...stageStart, epochs });
    for (let epoch = 1; epoch <= epochs; epoch++)
      listener({ type: 'epoch-end', record: { ...record, epoch } });
    expect(writes).toHaveLength(1 + lines);
    expect(writes.at(-1)).toContain(`epoch ${epochs}/${epochs}`);
  });

  test('without a terminal, of many epochs only a sign of life: half a minute and a tenth of the stage apart', () => {
    const { writes, clock, listener } = record80(false);
    const train = (epochs: number, epochMs: number) => {
      const before = writes.length;
      listener({ ...stageStart, epochs });
      for (let epoch = 1; epoch <= epochs; epoch++) {
        clock.ms += epochMs;
        listener({ type: 'epoch-end', record: { ...record, epoch } });
      }
      return writes.slice(before + 1).map((line) => Number(/epoch +(\d+)/.exec(line)![1]));
    };
    expect(train(3, 10)).toEqual([1, 2, 3]);
    expect(train(4, 45_000)).toEqual([1, 2, 3, 4]);
    expect(train(150, 10)).toEqual([]);
    expect(train(150, 500)).toEqual([60, 120]);
    expect(train(20, 3_600_000)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  });

  test('a whole run of the quick preset, taken down in a file, is under 60 lines', () => {
    const { writes, clock, listener, note, end } = record80(false);
    const { result, config } = sampleRecord();
    // Minutes as a slow machine takes them, and each evaluation that the stage ends with.
    const stages = [
      ['pretrain', 60_000, 1],
      ['finetune', 20_000, 2],
      ['scratch', 25_000, 2],
      ['selfTrain', 180_000, 2],
      ['baseline', 3_000, 2],
    ] as const;
    note('Data  MNIST: 60,000 training and 10,000 test images, 28×28, 10 classes');
    note('Run   runs/quick-20250314-101245');
    for (const [stage, durationMs, evaluations] of stages) {
      const { epochs } = stageNamed(stage).settingsOf(presets.quick)!;
      if (stage === 'selfTrain') {
        const chosen = { teacher: 'neighbours', found: 98, of: 100, rival: null } as const;
        listener({ type: 'teacher-chosen', draw: 0, ...chosen });
      }
      listener({ ...stageStart, stage, epochs });
      for (let epoch = 1; epoch <= epochs; epoch++) {
        listener({ ...step, stage, epoch });
        clock.ms += durationMs / epochs;
        listener({ type: 'epoch-end', record: { ...record, stage, epoch } });
        listener({ type: 'checkpoint', path: stage, step: epoch });
      }
      listener({ ...pass, title: 'test images' });
      for (let i = 0; i < evaluations; i++) {
        listener({ type: 'evaluated', title: 'test images', metrics: record.train });
      }
    }
    end();
    const lines =
      `${writes.join('')}${formatRun({ ...result, draws: [] }, { report: 'report.html', config })}\n`.split(
        '\n',
      );
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.length).toBeLessThan(56); // npm has four of its own to say
  });

  test('draws at most ten times a second', () => {
    const { writes, clock, listener } = record80(true);
    for (; clock.ms < 1000; clock.ms += 7) listener({ ...step, step: clock.ms });
    expect(writes).toHaveLength(10);
  });

  test('makes room for what others print, and draws again after it', () => {
    const { writes, clock, listener, clear } = record80(true);
    listener(pass);
    clear();
    clear();
    clock.ms += 100;
    listener(pass);
    expect(writes).toEqual([writes[0], '\r\x1b[K', writes[0]]);
  });

  test('draws nothing live after the end', () => {
    const { writes, clock, listener, end } = record80(true);
    end();
    clock.ms += 1000;
    listener(step);
    expect(writes).toEqual([]);
  });

  test('with colour says the same', () => {
    const bare = record80(true);
    const colorful = record80(true, true);
    everything.forEach(bare.listener);
    everything.forEach(colorful.listener);
    expect(colorful.writes.join('')).toContain('\x1b[32m');
    expect(colorful.writes.map(stripVTControlCharacters)).toEqual(bare.writes.map(stripVTControlCharacters));
  });
});

import type { Command } from 'commander';
import { addDataArgument, dataOptions } from './data-options.js';
import { encoderOptions } from './encoder-options.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import type { TrainFlags } from './train.js';

/** `quarterturn run`: the whole system. */
export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .summary('everything: all stages, a baseline to compare with, a report')
    .description(
      'Pretrain on rotations, fine-tune on the labels, self-train on the images without one (where the preset does), compare with a supervised baseline; leave a classifier (ONNX), a report (HTML) and every figure in a run folder.',
    );
  addDataArgument(command);
  addGroup(command, 'What to do:', [
    option.preset(),
    option.budget(),
    option.epochs('pretrain'),
    option.width(),
    option.seed(),
    option.draws(),
    option.labelsPerClass(),
    option.labels().conflicts('labelsPerClass'),
    option.config(),
  ]);
  addGroup(command, 'Where:', [
    ...dataOptions(),
    option.out(),
    option.resume(''),
    option.device(),
    option.threads(),
  ]);
  addGroup(command, 'Photographs:', encoderOptions());
  addOutputGroup(command, [option.json('the result'), option.quiet()]);
  addExamples(command, [
    ['quarterturn run', 'MNIST in minutes'],
    ['quarterturn run --preset best --budget 10m', 'what this machine can learn in 10 minutes'],
    ['quarterturn run --draws 5 --out runs/five', 'five choices of labels: mean ± deviation'],
    ['quarterturn run --labels labels.json', 'exactly these labels: see quarterturn suggest'],
    ['quarterturn run --preset notebook --epochs 1', 'the notebook, with 1 of its 20 epochs'],
    ['quarterturn run photos', 'your own images: a folder for each class'],
    ['quarterturn run photos.zip --labels labels.csv', 'images alone, and a table of some labels'],
    ['quarterturn run photos --encoder net.onnx', 'described by a network that you have'],
    ['quarterturn run --resume runs/five', 'go on after Ctrl-C, a crash, a power cut'],
  ]);
  command.action(async (_: unknown, flags: TrainFlags) => (await import('./train.js')).train('run', flags));
}

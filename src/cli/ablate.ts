import type { Command } from 'commander';
import type { AblateFlags } from './ablate-run.js';
import { addDataArgument, dataOptions } from './data-options.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';

/** `quarterturn ablate`: what each part of the recipe is worth. */
export function addAblateCommand(program: Command): void {
  const command = program
    .command('ablate')
    .summary('what each part of the recipe is worth, as a table')
    .description(
      'Train the recipe without its parts, and with others in their place, over several choices of labels. Every variant is a run in a folder of its own; what several have in common is trained once. Leaves the table as ablation.md and ablation.json.',
    );
  addDataArgument(command);
  addGroup(command, 'What to do:', [
    option.variants(),
    option.preset(),
    option.budget('one run of the whole recipe'),
    option.width(),
    option.seed(),
    option.draws('3'),
    option.labelsPerClass(),
    option.labels().conflicts('labelsPerClass'),
    option.config(),
  ]);
  addGroup(command, 'Where:', [
    ...dataOptions(),
    option.outOf('ablate', 'a folder that holds one is gone on with'),
    option.resume(''),
    option.device(),
    option.threads(),
  ]);
  addOutputGroup(command, [option.json('the table'), option.quiet()]);
  addExamples(command, [
    ['quarterturn ablate', 'every variant, three choices of labels'],
    ['quarterturn ablate --variants baseline,fine-tuned --draws 5', 'two of them, more often'],
    ['quarterturn ablate --budget 5m --out runs/parts', 'the recipe as long as 5 minutes allow'],
    ['quarterturn ablate --resume runs/parts', 'go on after Ctrl-C, a crash, a power cut'],
  ]);
  command.action(async (_: unknown, flags: AblateFlags) => (await import('./ablate-run.js')).ablate(flags));
}

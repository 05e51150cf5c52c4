import type { Command, Option } from 'commander';
import { QuarterturnError } from '../errors.js';
import { addDataArgument, dataOptions } from './data-options.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import type { StageSettingsName } from './settings.js';
import type { TrainFlags } from './train.js';

/** `quarterturn pretrain`: the pretext task alone. */
export function addPretrainCommand(program: Command): void {
  const command = stageCommand(program, 'pretrain', {
    summary: 'learn from unlabelled images which way up they are',
    description:
      'Pretrain on rotations: tell which of four quarter turns an unlabelled image was given. Its backbone is what fine-tuning starts from.',
    settings: [
      option.preset(),
      option.budget('pretraining'),
      option.epochs('pretrain'),
      option.width(),
      option.seed(),
      option.labelsPerClass(),
      option.config(),
    ],
    resumed: '',
  });
  addExamples(command, [
    ['quarterturn pretrain --out runs/turns', 'minutes on MNIST'],
    ['quarterturn pretrain --budget 5m --preset best', 'what this machine can learn in 5 minutes'],
    ['quarterturn finetune --from runs/turns', 'then 10 labels of each class'],
  ]);
}

/** `quarterturn finetune`: from another run's backbone, or in a pretrained run's own folder. */
export function addFinetuneCommand(program: Command): void {
  const command = stageCommand(program, 'finetune', {
    summary: 'learn the classes from a few labels, from a pretrained backbone',
    description:
      'Fine-tune the pretrained backbone of another run on the labels. Data and settings are those of that run, where no flag says otherwise.',
    settings: [
      option.from(),
      option.epochs('finetune'),
      option.draws('as that run'),
      option.labelsPerClass('as that run'),
      option.labels('as that run').conflicts('labelsPerClass'),
      option.config(),
    ],
    resumed: ', or fine-tune in the folder of a pretrained run',
    check: ({ from: source, resume }) => {
      if (source !== undefined || resume !== undefined) return;
      throw new QuarterturnError(
        'usage',
        'finetune: expected --from <folder>, a pretrained run. Received: none.',
        {
          hint: 'Run `quarterturn pretrain` first, or `quarterturn run` for everything at once.',
        },
      );
    },
  });
  addExamples(command, [
    ['quarterturn finetune --from runs/turns', '10 labels of each class'],
    ['quarterturn finetune --from runs/turns --labels-per-class 1 --draws 5', 'one label of each class'],
    ['quarterturn finetune --from runs/turns --labels labels.json', 'exactly these; run makes more of them'],
    ['quarterturn finetune --resume runs/turns', 'the same, into the folder of the pretraining'],
  ]);
}

/** `quarterturn baseline`: what the labels alone are worth. */
export function addBaselineCommand(program: Command): void {
  const command = stageCommand(program, 'baseline', {
    summary: 'the same network from scratch on the same labels',
    description:
      'Train the supervised baseline, and evaluate it twice: with the statistics that its short training left, and with statistics re-estimated from its data.',
    settings: [
      option.preset(),
      option.epochs('baseline'),
      option.width(),
      option.seed(),
      option.draws(),
      option.labelsPerClass(),
      option.labels().conflicts('labelsPerClass'),
      option.config(),
    ],
    resumed: ', or add a baseline to a run',
  });
  addExamples(command, [
    ['quarterturn baseline', 'seconds'],
    ['quarterturn baseline --preset notebook', 'the full network, as in the notebook'],
  ]);
}

interface StageCommand {
  readonly summary: string;
  readonly description: string;
  readonly settings: readonly Option[];
  /** What else `--resume` does here. */
  readonly resumed: string;
  /** @throws QuarterturnError `usage` for flags that do not go together */
  check?(flags: TrainFlags): void;
}

function stageCommand(program: Command, stage: StageSettingsName, about: StageCommand): Command {
  const command = program.command(stage).summary(about.summary).description(about.description);
  addDataArgument(command);
  addGroup(command, 'What to do:', about.settings);
  addGroup(command, 'Where:', [
    ...dataOptions(),
    option.out(),
    option.resume(about.resumed),
    option.device(),
    option.threads(),
  ]);
  addOutputGroup(command, [option.json('the result'), option.quiet()]);
  return command.action(async (_: unknown, flags: TrainFlags) => {
    about.check?.(flags);
    return (await import('./train.js')).train(stage, flags);
  });
}

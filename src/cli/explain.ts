import type { Command } from 'commander';
import type { ExplainFlags } from './explain-graph.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';

/** `quarterturn explain`: what a graph becomes and what it costs. */
export function addExplainCommand(program: Command): void {
  const command = program
    .command('explain')
    .summary('where the time of a training step goes')
    .description(
      'Show what the compiler makes of a graph for 28×28 grey images and 10 classes: the operators that each node became, the time predicted from its arithmetic and its memory traffic, and the time measured in a profiling run.',
    );
  addGroup(command, 'What to explain:', [
    option.graph(),
    option.step(),
    option.preset(),
    option.width(),
    option.batch(),
  ]);
  addGroup(command, 'Where:', [option.device(), option.threads(), option.peak(), option.bandwidth()]);
  addOutputGroup(command, [
    option.top(),
    option.all(),
    option.order(),
    option.noProfile(),
    option.json('every node'),
  ]);
  addExamples(command, [
    ['quarterturn explain --graph', "the quick preset's training step"],
    ['quarterturn explain --graph --preset notebook --order graph', 'the full-width step, layer by layer'],
    ['quarterturn explain --graph --step classify --batch 1', 'where the latency of one image goes'],
  ]);
  command.action(async (flags: ExplainFlags) => (await import('./explain-graph.js')).explain(flags));
}

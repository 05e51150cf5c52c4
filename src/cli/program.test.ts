import { expect, test } from 'vitest';
import { createProgram } from './program.js';

test('help is read in a narrow terminal, where what an option does stands below it', async () => {
  const program = await createProgram(['studio']);
  const command = program.commands.find((each) => each.name() === 'studio');
  const help = (columns: number) =>
    command?.configureOutput({ getOutHelpWidth: () => columns }).helpInformation() ?? '';
  const options = (text: string) => text.slice(text.indexOf('Arguments:'));
  expect(
    options(help(40))
      .split('\n')
      .filter((line) => line.length > 40),
  ).toEqual([]);
  expect(help(40)).toMatch(/^ {2}--port <n>\n {6}port on 127\.0\.0\.1/m);
  expect(help(80)).toContain('  --port <n>          port on 127.0.0.1 (default: one that is free)\n');
});

import fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/compile.js';
import {
  documents,
  notRun,
  programSubstitutions,
  substituted,
  testCommands,
} from '../support/documented-commands.js';
import { useWorld } from '../support/documented-world.js';
import { examples, ofMarkdown } from '../support/documents.js';
import { smallestSettings } from '../support/mnist-subset.js';

const world = useWorld();
testCommands(world);

describe('programs', () => {
  const programs = [...documents, ...examples()].flatMap(({ source, programs }) =>
    programs.map((text, i) => ({ source, text, file: `${source.replace(/\W+/g, '-')}-${i + 1}` })),
  );
  /** Finds `quarterturn` as a project does that has it installed. */
  let project: string;
  beforeAll(async () => {
    project = await world().newFolder();
    await fs.mkdir(join(project, 'node_modules'));
    await fs.symlink(root, join(project, 'node_modules/quarterturn'), 'junction');
    await fs.symlink(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'), 'junction');
    await fs.writeFile(join(project, 'package.json'), '{ "type": "module" }');
    for (const { file, text } of programs) {
      await fs.writeFile(
        join(project, `${file}.ts`),
        substituted(text, programSubstitutions) + (trains(text) ? smallFunction : ''),
      );
    }
    const compilerOptions = { strict: true, module: 'NodeNext', target: 'ES2022', types: ['node'] };
    const files = programs.map(({ file }) => `${file}.ts`);
    await fs.writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    await world().shell(
      `"${process.execPath}" "${join(root, 'node_modules/typescript/bin/tsc')}" -p .`,
      project,
    );
  });

  test.each(programs)('$source', async ({ file, text }) => {
    const output = await world().shell(`"${process.execPath}" ${file}.js`, project);
    expect(output).toMatch(text.includes('accuracy') ? /accuracy/ : /\S/);
    expect(output).not.toMatch(/NaN|undefined/);
  });
});

const trains = (program: string): boolean => program.includes('settingsFor(');

/** Puts the small settings into those of a program; ends each of them. */
const smallFunction = `
function small(settings: ReturnType<typeof settingsFor>): ReturnType<typeof settingsFor> {
  const { network, pretrain, finetune, baseline, selfTrain } = settings;
  return {
    ...settings,
    labelsPerClass: ${smallestSettings.labelsPerClass},
    network: { ...network, ...${JSON.stringify(smallestSettings.network)} },
    pretrain: { ...pretrain, ...${JSON.stringify(smallestSettings.pretrain)} },
    finetune: { ...finetune, ...${JSON.stringify(smallestSettings.finetune)} },
    baseline: { ...baseline, ...${JSON.stringify(smallestSettings.baseline)} },
    selfTrain: selfTrain && { ...selfTrain, ...${JSON.stringify(smallestSettings.selfTrain)} },
  };
}
`;

describe('the documents', () => {
  test('tell what to type', () => {
    const counts = Object.fromEntries(documents.map(({ source, commands }) => [source, commands.length]));
    expect(counts['README.md']).toBeGreaterThan(20);
    expect(counts['quarterturn --help']).toBeGreaterThan(3);
    for (const [source, count] of Object.entries(counts)) {
      if (source.endsWith('--help')) expect(count, source).toBeGreaterThan(0);
    }
    expect(documents.flatMap(({ programs }) => programs).length).toBeGreaterThan(0);
  });

  test('still have every command that is not run', () => {
    const texts = documents.flatMap(({ commands }) => commands.map(({ text }) => text));
    expect(notRun.filter(({ what }) => !texts.some((text) => what.test(text)))).toEqual([]);
  });

  test('are read whole: blocks, sentences, comments', () => {
    const page =
      'Say `npx quarterturn run` or `quarterturn`.\n```sh\nnpx quarterturn a  # b\n\n# c\nnpm x\n```\n```ts\nf();\n```\n```\na → b\n```\n';
    expect(ofMarkdown('page', page)).toEqual({
      source: 'page',
      commands: [
        { text: 'npx quarterturn run', inSentence: true },
        { text: 'npx quarterturn a', inSentence: false },
        { text: 'npm x', inSentence: false },
      ],
      programs: ['f();\n'],
    });
    for (const block of ['```rust\nx\n```\n', '```\nnpm test\n```\n']) {
      expect(() => ofMarkdown('page', block)).toThrow(/neither sh nor ts/);
    }
  });
});

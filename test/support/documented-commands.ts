import fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from './compile.js';
import type { World } from './documented-world.js';
import { type DocumentedCommand, instructions } from './documents.js';

/**
 * Every command and program of README, docs and help texts is run, on a few hundred images of MNIST and with settings with which
 * a whole run takes seconds. What is changed for that, and what cannot be run, stands in the next three tables and
 * nowhere else.
 */
interface Substitution {
  readonly what: RegExp;
  readonly by: string;
  readonly why: string;
}

/** Applied to commands one after the other. */
const commandSubstitutions: readonly Substitution[] = [
  { what: /^npx quarterturn$/, by: 'npx quarterturn --help', why: 'the program by its name' },
  { what: /^npx quarterturn/, by: 'quarterturn', why: 'a script in PATH; npx is for package.test.ts' },
  { what: /<name>/g, by: 'name', why: 'a run that lies there' },
  {
    what: /^npm start$/,
    by: `npm --prefix ${root} start -- --data "$PWD/my-images" --config "$PWD/small.json" --out "$PWD/runs/start" --threads 1`,
    why: 'it works in the checkout, and would learn all of MNIST',
  },
  {
    what: /^(quarterturn (?:run|pretrain|baseline|ablate)\b(?! photos\b)(?!.* --(?:data|resume|help)\b).*)$/,
    by: '$1 --data my-images',
    why: 'a few hundred images in place of all of MNIST',
  },
  {
    what: /^(quarterturn (?:run|pretrain|baseline|ablate)\b(?!.* --(?:config|resume|help)\b).* --preset notebook\b.*)$/,
    by: '$1 --config small-notebook.json',
    why: 'a small network and few steps; this preset has no self-training',
  },
  {
    what: /^(quarterturn (?:run|pretrain|baseline|ablate)\b(?!.* --(?:config|resume|help)\b).*)$/,
    by: '$1 --config small.json',
    why: 'a small network and few steps',
  },
  {
    what: /^(quarterturn ablate\b(?!.* --(?:variants|resume|help)\b).*)$/,
    by: '$1 --variants statistics,augmentation',
    why: 'two of ten: ablate.test.ts runs all',
  },
  {
    what: /^(quarterturn ablate\b(?!.* --(?:draws|resume|help)\b).*)$/,
    by: '$1 --draws 1',
    why: 'not three',
  },
  { what: /doubts\.csv/, by: 'doubts.json', why: 'images of IDX files have no names for a table' },
  { what: /--draws \d+/, by: '--draws 2', why: 'as many as have a deviation' },
  {
    what: /^(quarterturn (?:run|pretrain|finetune|baseline|ablate)\b(?!.* --(?:threads|resume|help)\b).*)$/,
    by: '$1 --threads 1',
    why: 'a second thread of so small a network does nothing but wait, on a core that another test could use',
  },
  {
    what: /^(quarterturn studio\b.*)$/,
    by: '$1 --no-open > studio.log 2>&1 & until grep -q http studio.log || ! kill -0 $!; do sleep 0.1; done; kill -INT $!; wait $!; ended=$?; cat studio.log; exit $ended',
    why: 'it serves until it is stopped',
  },
  { what: /^(quarterturn explain\b.*)$/, by: '$1 --width 0.0625', why: 'a small network' },
  { what: /^(quarterturn explain\b(?!.* --batch\b).*)$/, by: '$1 --batch 16', why: 'a small batch' },
];

/** Applied to programs. */
export const programSubstitutions: readonly Substitution[] = [
  {
    what: /\breadMnist\(\)/g,
    by: "readIdxFolder('my-images')",
    why: 'a few hundred images in place of all of MNIST',
  },
  {
    what: /\bcreateNodeRuntime\(\{ device: 'cpu' \}\)/g,
    by: "createNodeRuntime({ device: 'cpu', threads: 1 })",
    why: 'a second thread of so small a network does nothing but wait',
  },
  { what: /\breadMnist\b/g, by: 'readIdxFolder', why: 'its import' },
  { what: /= \[32, 32, 192, 1000\]/, by: '= [8, 8, 32, 100]', why: 'a short text in a few steps' },
  { what: /\bsettingsFor\(('[^)]*)\)/g, by: 'small(settingsFor($1))', why: 'a small network and few steps' },
];

/** What is not run here, and why. */
export const notRun: readonly { readonly what: RegExp; readonly why: string }[] = [
  { what: /^npm test$/, why: 'this test is a part of it' },
  { what: /^\.ci\/run$/, why: 'it installs Debian packages, and ends in npm test' },
  { what: /^npm run bench$/, why: 'minutes of timing beside PyTorch: test/bench runs its parts' },
  { what: /^npm run draws$/, why: 'hours: draws.test.ts runs one draw by night' },
  {
    what: /^npm run (?:fuzz|nightly)$/,
    why: 'minutes and hours of the inputs that test/fuzz*.test.ts tries',
  },
  { what: /^npm run example /, why: 'it learns all of MNIST: its program is run below' },
  { what: /^npm ci$/, why: 'an installation by hand: setup.test.ts runs the one that set-up does' },
  { what: /^npm pack$/, why: 'package.test.ts' },
  { what: /^ONNXRUNTIME_NODE_INSTALL=skip npm install /, why: 'package.test.ts' },
  { what: /^npx quarterturn --version$/, why: 'package.test.ts' },
  { what: /^node -e .*'onnxruntime-node'.* \$\(seq 8000\)$/, why: 'it ends in the crash that it shows' },
  {
    what: /^(?:npx )?quarterturn encoders --download /,
    why: 'it fetches from elsewhere: encoder-files.node.test.ts has a server',
  },
];
const isRun = ({ text }: DocumentedCommand) => !notRun.some(({ what }) => what.test(text));

export const documents = await instructions();

export function substituted(text: string, substitutions: readonly Substitution[]): string {
  return substitutions.reduce((result, { what, by }) => result.replace(what, by), text);
}

/** What a sentence says may be no more than a command's name, or what it takes: the command has to be there. */
function commandToRun({ text, inSentence }: DocumentedCommand): string {
  const [, name] = /^(quarterturn [\w-]+)(?: <.*)?$/.exec(text) ?? [];
  if (inSentence && name !== undefined) return `${name} --help`;
  return substituted(text, commandSubstitutions);
}

/** Where a command says that it will write. */
function filesToBeWritten(command: string): string[] {
  return Array.from(command.matchAll(/ --(?:out|sheet) "?([^\s"]+)/g), ([, path]) => path!);
}

/** Commands of each document, each once: what a command needs lies there for every document. */
function commandsToRun() {
  const seen = new Set<string>();
  return documents.map(({ source, commands }) => ({
    source,
    commands: commands.filter((command) => {
      const key = commandToRun(command);
      if (!isRun(command) || seen.has(key)) return false;
      seen.add(key);
      return true;
    }),
  }));
}

/** A test of each command of the documents, in a folder of each document's own. */
export function testCommands(world: () => World): void {
  const wanted = commandsToRun().filter(({ commands }) => commands.length > 0);
  describe.each(wanted)('$source', ({ commands }) => {
    let cwd: string;
    beforeAll(async () => {
      cwd = await world().newFolder();
    });

    test.each(commands)(
      '$text',
      async (documented) => {
        const command = commandToRun(documented);
        const written = filesToBeWritten(command.replaceAll('$PWD', cwd)).map((path) =>
          path.startsWith(cwd) ? path : join(cwd, path),
        );
        // A run that a document makes is not to be there already.
        const makesRun = /^(?:npm .*|quarterturn (?:run|pretrain|finetune|baseline|ablate)) /.test(command);
        if (makesRun) for (const path of written) await fs.rm(path, { recursive: true, force: true });
        const output = await world().shell(command, cwd);
        expect(output).not.toMatch(/^error:|NaN|undefined/m);
        for (const path of written) await fs.access(path);
      },
      120_000,
    );
  });
}

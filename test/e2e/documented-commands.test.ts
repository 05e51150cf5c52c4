import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/compile.js';
import { type DocumentedCommand, examples, instructions, ofMarkdown } from '../support/documents.js';
import { encodeMobileNet } from '../support/encoders.js';
import { smallSettings, writeMnistSubset } from '../support/mnist-subset.js';
import { zip } from '../support/npz.js';
import { filesBelow, writePictures } from '../support/picture-folder.js';

/**
 * Every command and program of README, docs and help texts is run, on a thousand images of MNIST and with settings with which
 * a whole run takes seconds. What is changed for that, and what cannot be run, stands in the next three tables and
 * nowhere else.
 */
/** A budget multiplies steps by up to 8, so it begins with fewer. */
const smallestSteps = {
  ...smallSettings,
  pretrain: { ...smallSettings.pretrain, epochs: 1 },
  finetune: { epochs: 1 },
  selfTrain: { ...smallSettings.selfTrain, epochs: 1, stepsPerEpoch: 3 },
};
const { selfTrain: _, ...withoutSelfTraining } = smallSettings;

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
    by: `npm --prefix ${root} start -- --data "$PWD/my-images" --config "$PWD/small.json" --out "$PWD/runs/start"`,
    why: 'it works in the checkout, and would learn all of MNIST',
  },
  {
    what: /^(quarterturn (?:run|pretrain|baseline|ablate)\b(?!.* --(?:data|resume|help)\b).*)$/,
    by: '$1 --data my-images',
    why: 'a thousand images in place of all of MNIST',
  },
  {
    what: /^(quarterturn (?:run|pretrain|baseline|ablate)\b(?!.* --(?:config|resume|help)\b).* --preset notebook\b.*)$/,
    by: '$1 --config small-notebook.json',
    why: 'a small network and few steps; this preset has no self-training',
  },
  {
    what: /^(quarterturn (?:run|pretrain|baseline|ablate)\b(?!.* --(?:config|resume|help)\b).* --budget\b.*)$/,
    by: '$1 --config small-budget.json',
    why: 'steps to be multiplied',
  },
  {
    what: /^(quarterturn (?:run|pretrain|baseline|ablate)\b(?!.* --(?:config|resume|help)\b).*)$/,
    by: '$1 --config small.json',
    why: 'a small network and few steps',
  },
  {
    what: /^(quarterturn ablate\b(?!.* --(?:variants|resume|help)\b).*)$/,
    by: '$1 --variants statistics,augmentation,self-training-alone',
    why: 'three of ten: ablate.test.ts runs all',
  },
  {
    what: /^(quarterturn ablate\b(?!.* --(?:draws|resume|help)\b).*)$/,
    by: '$1 --draws 2',
    why: 'not three',
  },
  { what: /--draws \d+/, by: '--draws 2', why: 'as many as have a deviation' },
  { what: /^(quarterturn explain\b.*)$/, by: '$1 --width 0.0625', why: 'a small network' },
  { what: /^(quarterturn explain\b(?!.* --batch\b).*)$/, by: '$1 --batch 16', why: 'a small batch' },
];

/** Applied to programs. */
const programSubstitutions: readonly Substitution[] = [
  {
    what: /\breadMnist\(\)/g,
    by: "readIdxFolder('my-images')",
    why: 'a thousand images in place of all of MNIST',
  },
  { what: /\breadMnist\b/g, by: 'readIdxFolder', why: 'its import' },
  { what: /\bsettingsFor\(('[^)]*)\)/g, by: 'small(settingsFor($1))', why: 'a small network and few steps' },
];

/** What is not run here, and why. */
const notRun: readonly { readonly what: RegExp; readonly why: string }[] = [
  { what: /^npm test$/, why: 'this test is a part of it' },
  { what: /^\.ci\/run$/, why: 'it installs Debian packages, and ends in npm test' },
  { what: /^npm run bench$/, why: 'minutes of timing beside PyTorch: test/bench runs its parts' },
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
  { what: / --device webgpu$/, why: 'not every machine has an adapter: webgpu.test.ts' },
];
const isRun = ({ text }: DocumentedCommand) => !notRun.some(({ what }) => what.test(text));

const documents = instructions();
/** What every document finds in the current folder: images, runs, a model, labels to be given. */
let world: string;

beforeAll(async () => {
  world = await fs.mkdtemp(join(tmpdir(), 'quarterturn-documents-'));
  const path = (...parts: string[]) => join(world, 'start', ...parts);
  await writeMnistSubset(path('my-images'), { train: 1000, test: 100 });
  await fs.copyFile(path('my-images/t10k-images-idx3-ubyte'), path('t10k-images-idx3-ubyte'));
  await writeDigits(path());
  await writePictures(path('photos'));
  const photos = await filesBelow(path('photos'));
  await fs.writeFile(path('photos.zip'), zip(photos));
  const labelled = Object.keys(photos).filter((file) => /\/00\d/.test(file));
  const rows = labelled.map((file) => `${file},${file.split('/')[0]}`);
  await fs.writeFile(path('labels.csv'), ['file,label', ...rows].join('\n'));
  // A network as somebody would have it; one that is known by name is elsewhere.
  await fs.writeFile(path('net.onnx'), encodeMobileNet());
  await fs.writeFile(path('small.json'), JSON.stringify(smallSettings));
  await fs.writeFile(path('small-notebook.json'), JSON.stringify(withoutSelfTraining));
  await fs.writeFile(path('small-budget.json'), JSON.stringify(smallestSteps));
  await fs.mkdir(join(world, 'bin'));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin/quarterturn.js')}" "$@"\n`;
  await fs.writeFile(join(world, 'bin/quarterturn'), program, { mode: 0o755 });

  await shell('quarterturn run --data my-images --config small.json --out runs/name', path());
  await shell('quarterturn pretrain --data my-images --config small.json --out runs/turns', path());
  await shell('quarterturn suggest runs/turns', path());
  await fs.copyFile(path('runs/name/models/classifier.onnx'), path('model.onnx'));
  for (const part of [1, 2]) {
    await shell(`quarterturn predict model.onnx photos --shard ${part}/2 --out answers-${part}.part`, path());
  }
  for (const run of ['five', 'quick-20250314-101245']) {
    await fs.cp(path('runs/name'), path('runs', run), { recursive: true });
  }
}, 300_000);
afterAll(() => fs.rm(world, { recursive: true, force: true }));

/** `digit.png`, as a person would have it: larger than MNIST's, and two more beside it; folders of them. */
async function writeDigits(folder: string): Promise<void> {
  const bytes = await fs.readFile(join(folder, 't10k-images-idx3-ubyte'));
  const pictureFolders = ['my-pictures', 'scans'];
  for (const name of pictureFolders) await fs.mkdir(join(folder, name));
  for (const [i, name] of ['digit', 'one', 'two'].entries()) {
    const pixels = bytes.subarray(16 + i * 784, 16 + (i + 1) * 784);
    const image = sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } }).resize(112, 112);
    await image.png().toFile(join(folder, `${name}.png`));
    for (const each of pictureFolders) await image.jpeg().toFile(join(folder, each, `${name}.jpg`));
  }
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** @throws Error with all that it said where a command fails */
async function shell(command: string, cwd: string): Promise<Outcome> {
  const PATH = `${join(world, 'bin')}${delimiter}${process.env.PATH}`;
  const { FORCE_COLOR: _, ...env } = process.env;
  const outcome = await promisify(execFile)('sh', ['-c', command], {
    cwd,
    env: { ...env, PATH, XDG_CACHE_HOME: join(world, 'cache') },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stderr + stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stderr + error.stdout,
    }),
  );
  if (outcome.code !== 0) throw new Error(`${command}\nends with ${outcome.code}:\n${outcome.output}`);
  return outcome;
}

function substituted(text: string, substitutions: readonly Substitution[]): string {
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

/** Commands of each document; those that need no file of its own are run for the first document that has them. */
function commandsToRun() {
  const seen = new Set<string>();
  return documents.map(({ source, commands }) => ({
    source,
    commands: commands.filter((command) => {
      const { text } = command;
      const ownFiles = /runs\/|labels\.json/.test(text) ? source : '';
      const key = `${ownFiles} ${commandToRun(command)}`;
      if (!isRun(command) || seen.has(key)) return false;
      seen.add(key);
      return true;
    }),
  }));
}

describe.each(commandsToRun().filter(({ commands }) => commands.length > 0))('$source', ({ commands }) => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await fs.mkdtemp(join(world, 'document-'));
    await fs.cp(join(world, 'start'), cwd, { recursive: true });
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
      const { output } = await shell(command, cwd);
      expect(output).not.toMatch(/^error:|NaN|undefined/m);
      for (const path of written) await fs.access(path);
    },
    120_000,
  );
});

describe('programs', () => {
  const programs = [...documents, ...examples()].flatMap(({ source, programs }) =>
    programs.map((text, i) => ({ source, text, file: `${source.replace(/\W+/g, '-')}-${i + 1}` })),
  );
  /** Finds `quarterturn` as a project does that has it installed. */
  let project: string;

  beforeAll(async () => {
    project = join(world, 'project');
    await fs.cp(join(world, 'start'), project, { recursive: true });
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
    await shell(`"${process.execPath}" "${join(root, 'node_modules/typescript/bin/tsc')}" -p .`, project);
  }, 120_000);

  test.each(programs)(
    '$source',
    async ({ file, text }) => {
      const { output } = await shell(`"${process.execPath}" ${file}.js`, project);
      expect(output).toMatch(trains(text) ? /accuracy/ : /\S/);
      expect(output).not.toMatch(/NaN|undefined/);
    },
    120_000,
  );
});

const trains = (program: string): boolean => program.includes('settingsFor(');

/** Puts the small settings into those of a program; ends each of them. */
const smallFunction = `
function small(settings: ReturnType<typeof settingsFor>): ReturnType<typeof settingsFor> {
  const { network, pretrain, finetune, baseline, selfTrain } = settings;
  return {
    ...settings,
    network: { ...network, ...${JSON.stringify(smallSettings.network)} },
    pretrain: { ...pretrain, ...${JSON.stringify(smallSettings.pretrain)} },
    finetune: { ...finetune, ...${JSON.stringify(smallSettings.finetune)} },
    baseline: { ...baseline, ...${JSON.stringify(smallSettings.baseline)} },
    selfTrain: selfTrain && { ...selfTrain, ...${JSON.stringify(smallSettings.selfTrain)} },
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

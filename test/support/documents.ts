import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.js';
import { root } from './compile.js';

/** A command as a document writes it. */
export interface DocumentedCommand {
  readonly text: string;
  /** It stands within a sentence. */
  readonly inSentence: boolean;
}

/** What a document tells its reader to type or to write. */
export interface Instructions {
  /** Where it stands: `README.md`, `quarterturn run --help`. */
  readonly source: string;
  readonly commands: readonly DocumentedCommand[];
  /** Blocks of TypeScript. */
  readonly programs: readonly string[];
}

/** Languages of blocks that are tried elsewhere, by the test of what the page is about. */
const triedElsewhere: ReadonlySet<string> = new Set(['python', 'json', 'js']);

/** How a command line begins. */
const commandLine = /^(?:npx |npm |node |quarterturn |\.ci\/)/;

/** README, docs and the examples of every help text, in the order in which they are read. */
export async function instructions(): Promise<readonly Instructions[]> {
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
  const program = await createProgram();
  return [
    ...pages.filter((page) => page.endsWith('.md')).map((page) => ofMarkdown(page, readText(page))),
    ...[program, ...program.commands].map(ofHelp),
  ];
}

/** Programs in `examples/`, by path. */
export function examples(): readonly Instructions[] {
  return readdirSync(join(root, 'examples'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({
      source: `examples/${name}`,
      commands: [],
      programs: [readText(`examples/${name}`)],
    }));
}

function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/**
 * Commands and programs of a page, in their order.
 * @throws Error for a block in a language that nobody would run here
 */
export function ofMarkdown(source: string, text: string): Instructions {
  const commands: DocumentedCommand[] = [];
  const programs: string[] = [];
  // A fenced block with its language, or a piece of code within a sentence.
  for (const [, language, block, inline] of text.matchAll(/^```(\w*)\n([\s\S]*?)^```$|`([^`\n]+)`/gm)) {
    if (inline !== undefined) {
      if (commandLine.test(inline)) commands.push({ text: inline, inSentence: true });
    } else if (language === 'sh') {
      commands.push(...commandsOf(block!).map((line) => ({ text: line, inSentence: false })));
    } else if (language === 'ts') {
      programs.push(block!);
    } else if (
      !triedElsewhere.has(language!) &&
      (language !== '' || block!.split('\n').some((line) => commandLine.test(line.trim())))
    ) {
      throw new Error(`${source}: a block that is neither sh nor ts nor a drawing:\n${block}`);
    }
  }
  return { source, commands, programs };
}

/** The first block of a page in a language, of those that speak of something. */
export function exampleOf(page: string, language: string, about = /(?:)/): string {
  const blocks = page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm);
  const found = [...blocks].find(([, name, block = '']) => name === language && about.test(block));
  if (found?.[2] === undefined) throw new Error(`expected a block in ${language} about ${about}`);
  return found[2];
}

/** Lines without their comments. */
function commandsOf(block: string): string[] {
  return block
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#.*$/, '').trim())
    .filter(Boolean);
}

/** The examples at the end of a help text: the command, and what it does behind it or in the line below. */
function ofHelp(command: Command): Instructions {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    getOutHasColors: () => false,
  });
  command.outputHelp();
  const lines = help.slice(help.indexOf('\nExamples:')).matchAll(/^ {2}(quarterturn .*?)(?: {2,}.*)?$/gm);
  const name = command.parent ? `quarterturn ${command.name()}` : 'quarterturn';
  return {
    source: `${name} --help`,
    commands: Array.from(lines, ([, text]) => ({ text: text!, inSentence: false })),
    programs: [],
  };
}

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileDeclarations } from './support/compile.js';
import { Declarations, type Exported, parametersOf } from './support/declarations.js';

/** Each entry of the package, and the entries that it builds on: what these export, its user has. */
const entries: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  index: ['engine'],
  node: ['engine', 'index'],
  web: ['engine'],
};

/** Said in one breath: type, axes and numbers of a tensor; name, inputs and outputs of a layer; size, window and step. */
const saidInOneBreath = new Set(['input', 'tensor', 'dense', 'samePoolPads']);

type Exports = ReadonlyMap<string, Exported>;

/** Every type that something exported names without being exported itself, as `what names it: the type`. */
function unnamedTypes(declarations: Declarations, exported: Exports, builtOn: readonly Exports[]): string[] {
  const known = [exported, ...builtOn].flatMap((names) => [...names.values()]);
  const breaches = new Set<string>();
  for (const [name, { declaration }] of exported) {
    for (const type of declarations.typesIn(declaration)) {
      const same = known.filter(
        ({ declaration: other }) => other.name === type.name && other.module === type.module,
      );
      if (same.length === 0) breaches.add(`${name}: ${type.name}`);
      else if (type.kind === 'class' && same.every(({ typeOnly }) => typeOnly)) {
        breaches.add(`${name}: ${type.name}, which nobody can make`);
      }
    }
  }
  return [...breaches].sort();
}

/** Functions that take more than two arguments by position; a third may be options, and values of a graph are operands. */
function longSignatures(exported: Exports): string[] {
  return [...exported]
    .filter(([name, { declaration }]) => {
      if (saidInOneBreath.has(name)) return false;
      const positional = parametersOf(declaration).filter(
        (parameter) => !/: (Value|Operand)$/.test(parameter),
      );
      return positional.length > 3 || (positional.length === 3 && !isOptions(positional[2]!));
    })
    .map(([name, { declaration }]) => `${name}(${parametersOf(declaration).join(', ')})`);
}

const isOptions = (parameter: string): boolean =>
  /^\{|: \{|: \w*(Attributes|Options|Settings)$/.test(parameter);

describe('entries', () => {
  let declarations: Declarations;
  beforeAll(async () => {
    const sources = Object.keys(entries).map((entry) => `${entry}.ts`);
    declarations = new Declarations(await compileDeclarations(sources));
  });
  const exportsOf = (entry: string) => declarations.exportsOf(`${entry}.d.ts`);

  test('are those of the package', () => {
    const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    const { './package.json': _, ...modules } = exports;
    const wanted = ['index', 'engine', 'node', 'web'].map((entry) => [
      entry === 'index' ? '.' : `./${entry}`,
      { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` },
    ]);
    expect(modules).toEqual(Object.fromEntries(wanted));
  });

  describe.each(Object.entries(entries))('%s', (entry, builtOn) => {
    test('exports every type that its signatures name', () => {
      expect(exportsOf(entry).size).toBeGreaterThan(1);
      expect(unnamedTypes(declarations, exportsOf(entry), builtOn.map(exportsOf))).toEqual([]);
    });

    test('is what was agreed on: whoever changes it says so', async () => {
      const withoutComments = (text: string) =>
        text.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '').replace(/^\s*\n/gm, '');
      const texts = [...exportsOf(entry)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { declaration }]) => `${name}\n${withoutComments(declaration.text)}`);
      await expect(texts.join('\n\n')).toMatchFileSnapshot(`./api/${entry}.txt`);
    });

    test('takes options beyond two arguments', () => {
      expect(longSignatures(exportsOf(entry))).toEqual([]);
    });
  });

  test('a name is one thing, whichever entry it comes from', () => {
    const homes = new Map<string, string>();
    for (const entry of Object.keys(entries)) {
      for (const [name, { declaration }] of exportsOf(entry)) {
        expect(`${name} of ${homes.get(name) ?? declaration.module}`).toBe(
          `${name} of ${declaration.module}`,
        );
        homes.set(name, declaration.module);
      }
    }
  });
});

describe('the reader of declarations', () => {
  const read = (files: Readonly<Record<string, string>>) => new Declarations(new Map(Object.entries(files)));
  const breaches = (entry: string, files: Readonly<Record<string, string>>) => {
    const declarations = read({ 'e.d.ts': entry, ...files });
    return unnamedTypes(declarations, declarations.exportsOf('e.d.ts'), []);
  };
  const shapes = {
    'a.d.ts':
      "import type { Size } from './b.js';\n/** A {@link Hidden}. */\nexport interface Area {\n    size: Size;\n}\n",
    'b.d.ts':
      'interface Unit {\n}\nexport interface Size {\n    unit?: Unit;\n}\nexport declare class Pen {\n}\n',
  };

  test('finds a type that is imported and not exported, by whatever way it came', () => {
    expect(breaches("export type { Area } from './a.js';", shapes)).toEqual(['Area: Size']);
    expect(
      breaches("export type { Area } from './c.js';", {
        ...shapes,
        'c.d.ts': "export { type Area } from './a.js';",
      }),
    ).toEqual(['Area: Size']);
  });

  test('finds a type that a module keeps to itself, and one imported in its place', () => {
    const both = "export type { Area } from './a.js';\nexport { Size } from './b.js';";
    expect(breaches(both, shapes)).toEqual(['Size: Unit']);
    expect(breaches('export declare const f: () => import("./b.js").Size;', shapes)).toEqual(['f: Size']);
  });

  test('finds a class that is exported as a type alone', () => {
    const draw = {
      ...shapes,
      'd.d.ts': "import { Pen } from './b.js';\nexport declare function draw(pen: Pen): void;",
    };
    const asType = "export { draw } from './d.js';\nexport type { Pen } from './b.js';";
    expect(breaches(asType, draw)).toEqual(['draw: Pen, which nobody can make']);
    expect(breaches(asType.replace('type { Pen }', '{ Pen }'), draw)).toEqual([]);
  });

  test('counts arguments, not what they are made of', () => {
    const functionOf = (signature: string) =>
      longSignatures(read({ 'e.d.ts': `export declare function f${signature};` }).exportsOf('e.d.ts'));
    expect(functionOf('(a: number, b: string, c: boolean): void')).toHaveLength(1);
    expect(
      functionOf('<T extends Map<A, B>>(a: (x: A, y: B) => T, b: Map<A, B>): (c: A, d: B) => T'),
    ).toEqual([]);
    expect(functionOf('(a: number, b: string, { c, d }?: FOptions): void')).toEqual([]);
    expect(functionOf('(a: number, b: string, c: FOptions, d: number): void')).toHaveLength(1);
    const arrow = 'export declare const f: (a: number, b: (x: A, y: B) => C, c: string) => void;';
    expect(longSignatures(read({ 'e.d.ts': arrow }).exportsOf('e.d.ts'))).toEqual([
      'f(a: number, b: (x: A, y: B) => C, c: string)',
    ]);
    expect(functionOf('(a: Value, b: Value, c: Value, options: { e: number }): Value')).toEqual([]);
  });
});

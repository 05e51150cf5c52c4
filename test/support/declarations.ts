import { posix } from 'node:path';

/** A name as the module declares it that it comes from. */
export interface Declaration {
  /** Path of the declaration file, `nn/rotnet.d.ts`. */
  readonly module: string;
  readonly name: string;
  readonly kind: 'class' | 'const' | 'function' | 'interface' | 'type';
  /** The whole statement, without comments. */
  readonly text: string;
}

/** A name that a module exports. */
export interface Exported {
  readonly declaration: Declaration;
  /** It is exported as a type alone. */
  readonly typeOnly: boolean;
}

interface Imported {
  readonly module: string;
  readonly name: string;
  readonly typeOnly: boolean;
}

interface Module {
  readonly declared: ReadonlyMap<string, Declaration>;
  readonly imported: ReadonlyMap<string, Imported>;
  readonly reexported: ReadonlyMap<string, Imported>;
}

/**
 * What modules export and which types these name, read from the compiler's declaration files. TypeScript 7 has no stable
 * parser to ask; of what it writes, every statement begins at the start of a line, and nothing else but its last
 * line does.
 */
export class Declarations {
  readonly #modules: ReadonlyMap<string, Module>;

  /** @param files the text of each declaration file, by its path with `/` */
  constructor(files: ReadonlyMap<string, string>) {
    this.#modules = new Map([...files].map(([path, text]) => [path, parseModule(path, text)]));
  }

  /** @throws Error for a module that is not there, or one that exports what is declared nowhere */
  exportsOf(path: string): ReadonlyMap<string, Exported> {
    const { reexported, declared } = this.#module(path);
    const own = [...declared.values()].filter(({ text }) => text.startsWith('export'));
    return new Map([
      ...own.map((declaration): [string, Exported] => [declaration.name, { declaration, typeOnly: false }]),
      ...[...reexported].map(([name, from]): [string, Exported] => [
        name,
        { declaration: this.#find(from.module, from.name), typeOnly: from.typeOnly },
      ]),
    ]);
  }

  /** Types of this package that a declaration names; those of the language and of other packages are not told. */
  typesIn({ module, name, text }: Declaration): readonly Declaration[] {
    const { declared, imported } = this.#module(module);
    const code = text.replace(/'[^']*'|"[^"]*"/g, "''");
    const inline = [...text.matchAll(/\bimport\("(\.[^"]+)"\)\.(\w+)/g)].map(([, from, inlined]) =>
      this.#find(resolveModule(module, from!), inlined!),
    );
    const named = [...new Set(code.match(/\b[A-Z]\w*/g))].flatMap((word) => {
      const from = imported.get(word);
      if (from) return [this.#find(from.module, from.name)];
      const local = word === name ? undefined : declared.get(word);
      return local ? [local] : [];
    });
    return [...named, ...inline];
  }

  /** Where a name that a module offers is declared. */
  #find(path: string, name: string): Declaration {
    const { declared, reexported } = this.#module(path);
    const from = reexported.get(name);
    const found = declared.get(name) ?? (from && this.#find(from.module, from.name));
    if (!found) throw new Error(`${path} declares no ${name}`);
    return found;
  }

  #module(path: string): Module {
    const module = this.#modules.get(path);
    if (!module) throw new Error(`no declarations at ${path}`);
    return module;
  }
}

/** The parameters of a function, `name: type` each, in their order; none of what is no function. */
export function parametersOf({ kind, name, text }: Declaration): readonly string[] {
  if (kind !== 'function' && kind !== 'const') return [];
  const head = `${kind} ${name}`;
  const rest = text.slice(text.indexOf(head) + head.length).replace(/^: /, '');
  const signature = withoutTypeParameters(rest);
  if (!signature.startsWith('(')) return [];
  const list = insideBrackets(signature);
  const parameters: string[] = [];
  let [depth, from] = [0, 0];
  for (let at = 0; at <= list.length; at++) {
    const c = list[at] ?? ',';
    if ('({[<'.includes(c)) depth++;
    if (')}]'.includes(c) || (c === '>' && list[at - 1] !== '=')) depth--;
    if (c === ',' && depth === 0) {
      parameters.push(list.slice(from, at).trim());
      from = at + 1;
    }
  }
  return parameters.filter((parameter) => parameter !== '');
}

/** `<T extends U<V>>(…)` → `(…)`. */
function withoutTypeParameters(text: string): string {
  if (!text.startsWith('<')) return text;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '<') depth++;
    if (text[at] === '>' && text[at - 1] !== '=' && --depth === 0) return text.slice(at + 1);
  }
  return text;
}

/** `(a: (b) => c): d` → `a: (b) => c`. */
function insideBrackets(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) return text.slice(1, at);
  }
  return text;
}

function parseModule(path: string, text: string): Module {
  const declared = new Map<string, Declaration>();
  const imported = new Map<string, Imported>();
  const reexported = new Map<string, Imported>();
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\/\/.*$/gm, '');
  for (const statement of code.split(/^(?=\w)/m).map((part) => part.trim())) {
    const names = /^(import|export)\s+(type\s+)?\{([^}]*)\}\s+from\s+['"]([^'"]+)['"]/.exec(statement);
    if (names) {
      const [, keyword, allTypes, list, from] = names;
      for (const { source, name, typeOnly } of namesIn(list!)) {
        const entry = {
          module: resolveModule(path, from!),
          name: source,
          typeOnly: typeOnly || allTypes !== undefined,
        };
        // What another package declares has no file here.
        if (!from!.startsWith('.')) continue;
        (keyword === 'export' ? reexported : imported).set(name, entry);
      }
      continue;
    }
    const head =
      /^(?:export\s+)?(?:declare\s+)?(?:abstract\s+)?(class|const|function|interface|type)\s+(\w+)/.exec(
        statement,
      );
    if (head) {
      const [, kind, name] = head as unknown as [string, Declaration['kind'], string];
      const before = declared.get(name);
      declared.set(name, {
        module: path,
        name,
        kind,
        // The signatures of an overloaded function are one declaration.
        text: before ? `${before.text}\n${statement}` : statement,
      });
    } else if (statement !== '' && !/^(import\b|export \{\};?$)/.test(statement)) {
      throw new Error(`${path}: what does this declare? ${statement.slice(0, 100)}`);
    }
  }
  return { declared, imported, reexported };
}

/** `A, type B, C as D` as what each is called there and here. */
function namesIn(list: string): { source: string; name: string; typeOnly: boolean }[] {
  return list
    .split(',')
    .map((item) => /^\s*(type\s+)?(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(item))
    .flatMap((match) =>
      match ? [{ source: match[2]!, name: match[3] ?? match[2]!, typeOnly: match[1] !== undefined }] : [],
    );
}

/** `./y.js` named in `a/x.d.ts` → `a/y.d.ts`. */
function resolveModule(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.d.ts');
}

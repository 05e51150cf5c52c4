/** Bytes of the longest name that all systems take, with room for a number. */
const maxNameBytes = 200;
/** Names that Windows keeps for devices. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** A name that every system takes for a file or folder: `a/b` → `a_b`, `..` → `_.`, `con` → `_con`. */
export function safeName(name: string): string {
  let safe = name.replace(/[\p{Cc}\p{Cs}/\\:*?"<>|]/gu, '_').replace(/^[. ]|[. ]$/g, '_');
  if (safe === '' || devices.test(safe)) safe = `_${safe}`;
  while (new TextEncoder().encode(safe).length > maxNameBytes) safe = [...safe].slice(0, -1).join('');
  return safe;
}

/**
 * A name that nobody has yet, in capitals or not; it is taken from then on.
 * @param options.ending what stands behind the number that a taken name gets: `.png`; default: nothing
 */
export function freeName(
  wanted: string,
  taken: Set<string>,
  { ending = '' }: { readonly ending?: string } = {},
): string {
  const stem = ending !== '' && wanted.endsWith(ending) ? wanted.slice(0, -ending.length) : wanted;
  const last = stem === wanted ? '' : ending;
  let name = wanted;
  for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${stem}-${number}${last}`;
  taken.add(name.toLowerCase());
  return name;
}

/** A folder for each class: of a name that every system takes, and that no other class has, in capitals or not. */
export function classFoldersOf(classNames: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  return new Map(classNames.map((className) => [className, freeName(safeName(className), taken)]));
}

/** The folder of what belongs to no class, beside those of {@link classFoldersOf}: a class may be called `unsure`, too. */
export function unsureFolderBeside(classFolders: ReadonlyMap<string, string>): string {
  return freeName('unsure', new Set([...classFolders.values()].map((name) => name.toLowerCase())));
}

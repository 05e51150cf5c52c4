import type { JournalHeader } from './journal-lines.js';

const optionNames: Readonly<Record<keyof JournalHeader['options'], string>> = {
  invert: '--invert',
  limit: '--limit',
  probabilities: '--probabilities',
  unsure: '--unsure',
  abstain: '--abstain',
  sortInto: '--sort-into',
};

/**
 * What two predictions differ in, in a few words: `another model`, `--limit 20 and now none`.
 * @param options.sameShard whether they have to be the same part; parts of one whole differ in it
 * @returns undefined where they are the same
 */
export function headerDifference(
  was: JournalHeader,
  is: JournalHeader,
  { sameShard = true } = {},
): string | undefined {
  if (was.model.sha256 !== is.model.sha256) return 'another model';
  for (const key of Object.keys(optionNames) as (keyof JournalHeader['options'])[]) {
    const [before, now] = [was.options[key], is.options[key]];
    if (before !== now) return `${optionNames[key]} ${shown(before)}, not ${shown(now)}`;
  }
  if (was.inputs.digest !== is.inputs.digest) {
    const names = [...was.inputs.first, ...(was.inputs.count > was.inputs.first.length ? ['…'] : [])];
    return `other inputs (${was.inputs.count}: ${names.join(', ')})`;
  }
  if (was.shard.count !== is.shard.count || (sameShard && was.shard.number !== is.shard.number)) {
    return `--shard ${was.shard.number}/${was.shard.count}, not ${is.shard.number}/${is.shard.count}`;
  }
  return undefined;
}

function shown(value: boolean | number | string | null): string {
  if (value === null || value === false) return 'none';
  return value === true ? 'given' : String(value);
}

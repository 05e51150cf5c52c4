/**
 * How wide texts are in a terminal: names of classes are in any script. A column holds a Latin letter; Chinese, Japanese and
 * Korean characters and emoji take two; marks that are set on a letter take none.
 */

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Scripts and forms that Unicode's East Asian Width calls wide, as far as fonts of terminals follow it. */
const wide =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\u3200-\u33ff\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\ufe0f/u;

const halfWidth = /^[\uff61-\uffdc]/u;

const invisible = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** A text of at most so many columns; one that is wider ends in `…`. No character is cut in two. */
export function shorten(text: string, width: number): string {
  if (isPlain(text)) return text.length <= width ? text : `${text.slice(0, width - 1).trimEnd()}…`;
  if (textWidth(text) <= width) return text;
  let kept = '';
  let taken = 0;
  for (const { segment } of graphemes.segment(text)) {
    taken += graphemeWidth(segment);
    if (taken > width - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** `padEnd` by columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** `padStart` by columns. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

const unitAfterNumber = /(?<=\d) (?=(?:%|pp|ms|s|min|h|d|[KMGT]iB|images\/s)(?![\w-]))/g;

/** A text whose numbers stay on one line with their units: no-break spaces stand between them. */
export function withUnits(text: string): string {
  return text.replace(unitAfterNumber, '\u00a0');
}

/**
 * A text behind a label, broken between words, its lines below each other. A word that is wider than a line stays whole.
 * @param options.indent columns of the label
 */
export function hanging(
  label: string,
  text: string,
  { columns, indent }: { readonly columns: number; readonly indent: number },
): string {
  const lines = [''];
  for (const word of withUnits(text).split(' ')) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer) > columns - indent) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines
    .map((line, i) => padEnd(i === 0 ? label : '', indent) + line.replaceAll('\u00a0', ' '))
    .join('\n');
}

const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

function graphemeWidth(segment: string): number {
  if (halfWidth.test(segment)) return 1;
  if (wide.test(segment)) return 2;
  return invisible.test(segment) ? 0 : 1;
}

/** What needs quotes: what RFC 4180 says, spaces that readers take away, and what a spreadsheet may take for a formula. */
const quoted = /[",\r\n]|^[\s=+\-@]|\s$/;

/**
 * A line of CSV as RFC 4180 has it, its line break included. What a spreadsheet may take for a formula is quoted, not changed.
 * @param options.delimiter of the table that the line is for; default: a comma
 */
export function csvLine(
  cells: readonly string[],
  { delimiter = ',' }: { readonly delimiter?: string | undefined } = {},
): string {
  const needsQuotes = (text: string) => quoted.test(text) || text.includes(delimiter);
  return `${cells.map((text) => (needsQuotes(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(delimiter)}\r\n`;
}

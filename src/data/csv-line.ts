/** What needs quotes: what RFC 4180 says, spaces that readers take away, and what a spreadsheet may take for a formula. */
const quoted = /[",\r\n]|^[\s=+\-@]|\s$/;

/** A line of CSV as RFC 4180 has it, its line break included. What a spreadsheet may take for a formula is quoted, not changed. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((text) => (quoted.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(',')}\r\n`;
}

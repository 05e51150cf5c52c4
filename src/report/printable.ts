/**
 * A name on one line: line breaks, control characters and what turns the direction of writing are shown as escapes,
 * since a name may hold anything and must neither break the lines of a table nor reach the terminal as a command.
 */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu, (char) => {
    const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
    const code = char.charCodeAt(0).toString(16);
    return named ?? (code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`);
  });
}

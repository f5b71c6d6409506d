/** As one word of a POSIX shell. */
export function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

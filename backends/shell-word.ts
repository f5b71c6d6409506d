/**
 * A word as a person pastes it into a shell, for the commands that messages name: as it is where that is safe, else
 * in quotes that cmd and PowerShell understand on Windows, and every POSIX shell elsewhere.
 */
export function shellWord(word: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[\w@%+=:,./~-]+$/.test(word)) return word;
  return platform === 'win32' ? `"${word}"` : shellQuote(word);
}

/** One word for a POSIX shell, whatever it holds. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A line for whoever looks for the cause of something: git-lfs shows an agent's stderr under GIT_TRACE=1 only.
 * Must never hold a secret.
 */
export function trace(text: string): void {
  process.stderr.write(`lfs-depot: ${text}\n`);
}

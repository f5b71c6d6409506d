import { writeLine } from './stdio.ts';

/**
 * A line for whoever looks for the cause of something: git-lfs shows an agent's stderr under GIT_TRACE=1 only.
 * Must never hold a secret.
 */
export function trace(text: string): void {
  writeLine(2, `lfs-depot: ${text}\n`);
}

import { writeLine } from './stdio.ts';

/**
 * A line for whoever looks for the cause of something, under GIT_TRACE=1: only then git-lfs shows an agent's stderr, too.
 * Must never hold a secret.
 */
export function trace(text: string): void {
  if (/^(|0|no|off|false)$/i.test(process.env.GIT_TRACE ?? '')) return;
  writeLine(2, `lfs-depot: ${text}\n`);
}

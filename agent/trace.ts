import { writeLine } from './stdio.ts';

let always = false;

/**
 * For the agent: git-lfs shows what it writes to stderr under GIT_TRACE only, and takes that variable out of its environment
 * (seen with 3.3.0).
 */
export function traceAlways(): void {
  always = true;
}

/** A line for whoever looks for the cause of something, under GIT_TRACE=1. Must never hold a secret. */
export function trace(text: string): void {
  if (!always && /^(|0|no|off|false)$/i.test(process.env.GIT_TRACE ?? '')) return;
  writeLine(2, `lfs-depot: ${text}\n`);
}

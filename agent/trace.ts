import { writeLine } from './stdio.ts';

let always = false;
let toWhom: () => number | undefined = () => 2;

/**
 * For the agent: git-lfs shows what it writes to stderr under GIT_TRACE only, and takes that variable out of its environment
 * (seen with 3.3.0).
 */
export function traceAlways(): void {
  always = true;
}

/** For the hub, whose own stderr nobody reads: @param fd of a worker's, if there is one. */
export function traceTo(fd: () => number | undefined): void {
  toWhom = fd;
}

/** A line for whoever looks for the cause of something, under GIT_TRACE=1. Must never hold a secret. */
export function trace(text: string): void {
  if (!always && /^(|0|no|off|false)$/i.test(process.env.GIT_TRACE ?? '')) return;
  const fd = toWhom();
  if (fd !== undefined) writeLine(fd, `lfs-depot: ${text}\n`);
}

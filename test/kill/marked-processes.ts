import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The processes that one git command started, found by a variable in their environment: a child stays marked when its
 * parents are killed and it becomes init's. Linux only: it reads /proc.
 */
export const MARK = 'DEPOT_TEST_MARK';

export interface Process {
  pid: number;
  /** `waiting` is the shell of the lazy start, before it becomes an agent. */
  kind: 'git-lfs' | 'agent' | 'waiting' | 'other';
  command: string;
}

export function markedProcesses(mark: string): Process[] {
  const found: Process[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${MARK}=${mark}`)) continue;
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      if (words.length > 1) found.push({ pid, kind: kindOf(words), command: words.join(' ').slice(0, 100) });
    } catch {
      // It ended in between.
    }
  }
  return found;
}

function kindOf([program = '', ...args]: string[]): Process['kind'] {
  if (program.endsWith('lfs-depot')) return args[0] === 'agent' ? 'agent' : 'other';
  if (program.endsWith('git-lfs')) return 'git-lfs';
  return args[0] === '-c' && args[1]?.startsWith('read -r init') ? 'waiting' : 'other';
}

/** The marked processes that are still there after some time; none as soon as there are none. */
export async function stillThere(mark: string, milliseconds: number): Promise<Process[]> {
  for (const end = Date.now() + milliseconds; ; await sleep(10)) {
    const found = markedProcesses(mark);
    if (found.length === 0 || Date.now() > end) return found;
  }
}

/** @returns whether it was there to be killed. */
export function killByPid(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

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

/** So many looks in a row must find nothing: in the moment of an exec a process has no environment. */
const LOOKS = 5;

/**
 * The marked processes that are still there after some time; none as soon as there are none.
 * @param before some of them, which may have been killed: a thread that waits for the disk outlives its process's environment.
 */
export async function stillThere(mark: string, milliseconds: number, before: Process[]): Promise<Process[]> {
  const there = new Map(before.map((each) => [each.pid, each]));
  let looks = 0;
  for (const end = Date.now() + milliseconds; ; await sleep(10)) {
    for (const each of markedProcesses(mark)) there.set(each.pid, each);
    for (const pid of there.keys()) if (!runs(pid)) there.delete(pid);
    looks = there.size === 0 ? looks + 1 : 0;
    if (looks === LOOKS || Date.now() > end) return [...there.values()];
  }
}

/** Whether it has a thread that may still do something: a dead one stays until its parent has heard of it. */
function runs(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => !/\) [ZX] /.test(statOf(`/proc/${pid}/task/${thread}`)));
  } catch {
    return false;
  }
}

function statOf(thread: string): string {
  try {
    return readFileSync(`${thread}/stat`, 'latin1');
  } catch {
    return ') X ';
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

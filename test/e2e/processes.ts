import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { PROGRAM } from '../sandbox.ts';

/** Looks at processes through /proc. A command started with `detached` leads a session; all it starts belongs to it. */
export const CAN_LOOK = process.platform === 'linux';

/** The living processes of a session, also those whose parent is gone. */
export function sessionMembers(leader: number): number[] {
  for (;;) {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const stats = pids.map((pid) => readProc(Number(pid), 'stat'));
    const members = pids.filter((_, index) => {
      // "pid (name) state ppid pgrp session …", where the name may hold anything.
      const [state, , , session] = stats[index]!.replace(/^.*\) /s, '').split(' ');
      return Number(session) === leader && state !== 'Z';
    });
    // One that ended since the list was read may have started another, which is not on it.
    if (members.length > 0 || !stats.includes('')) return members.map(Number);
  }
}

/** Those of them that run this executable file. */
export function membersRunning(leader: number, isIt: (executable: string) => boolean): number[] {
  return sessionMembers(leader).filter((pid) => {
    try {
      return isIt(readlinkSync(`/proc/${pid}/exe`));
    } catch {
      return false; // It ended in between.
    }
  });
}

export function agentsOf(leader: number): number[] {
  // A build in the meantime replaces the file; then Linux adds " (deleted)".
  return membersRunning(leader, (executable) => executable.startsWith(PROGRAM));
}

/** The most memory that a process ever held, in bytes; 0 when it is gone. */
export function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProc(pid, 'status'))?.[1] ?? 0) * 1024;
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Waits for something to become true; gives up, and throws, when it has not for half a minute. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (const start = performance.now(); !isTrue(); await pause(5)) {
    if (performance.now() - start > 30_000) throw new Error(`waited in vain until ${what}`);
  }
}

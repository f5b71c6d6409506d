import { lstatSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { STALE } from '../store.ts';
import { openWorker, type Worker } from './worker.ts';

/** A process that is told from a later one with the same id. */
export interface Process {
  pid: number;
  /** Field 22 of proc(5)'s stat. */
  start: string;
}

/**
 * The file where the workers of one git-lfs find their hub (start.ts writes it): a line `hub <pid>`, and one with the process id
 * of each worker that asks to be served. The two lines at most that a worker has read from git-lfs are in `<file>.<pid>`.
 */
export interface Meeting {
  /** The git-lfs whose workers meet here. */
  readonly parent: Process;
  /** False once a worker could not be taken over, and so others cannot, either. */
  isOfUse: boolean;
  /** Takes over who has asked by now. Each says so with a SIGURG, which does nothing where nobody counts it. */
  look(): void;
  /** Ends it: who comes now starts a hub of its own. */
  close(): void;
  /** Lets the process of the first worker end, for which git-lfs then waits in vain no more; the others are gone already. */
  releaseFirst(): void;
}

/** @param onWorker called with each worker that was taken over. */
export function meetingAt(file: string, onWorker: (worker: Worker) => void): Meeting {
  const [, pid = '0', start = ''] = /-(\d+)-(\d+)$/.exec(file) ?? [];
  const parent = { pid: Number(pid), start };
  let seen = 0;
  let first: number | undefined;

  const meeting: Meeting = {
    parent,
    isOfUse: true,
    look: () => {
      const lines = linesOf(file);
      const fresh = lines.slice(seen).filter((line) => /^\d+$/.test(line));
      seen = Math.max(seen, lines.length);
      for (const line of fresh) take(Number(line));
    },
    close: () => {
      rmSync(file, { force: true });
      sweep(file, parent);
    },
    releaseFirst: () => {
      if (first === undefined || parentOf(first) !== parent.pid) return;
      try {
        process.kill(first, 'SIGUSR1');
      } catch {
        // It is gone.
      }
    },
  };

  function take(worker: number): void {
    const request = `${file}.${worker}`;
    try {
      // What is in the folder could be anybody's; a worker is a child of that git-lfs.
      if (parentOf(worker) !== parent.pid) return;
      const lines = linesOf(request).slice(0, 2);
      const taken = openWorker(worker, lines);
      try {
        // Who removes the request has the worker: it goes on by itself where it waited too long.
        unlinkSync(request);
      } catch {
        taken.close();
        return;
      }
      if (!lines[1]) first = worker;
      onWorker(taken);
    } catch {
      // It is gone, or its pipes are none that can be opened once more: then it goes on by itself.
      meeting.isOfUse = false;
    }
  }

  return meeting;
}

/**
 * Removes what killed processes left: the requests in this meeting, and what is old in the git folder, where the first one of a
 * clone meets. The other place, `lfs/tmp`, is swept by git-lfs.
 */
function sweep(file: string, parent: Process): void {
  const folder = dirname(file);
  const gitFolder = folder.replace(/\/lfs\/tmp$/, '');
  for (const name of namesIn(folder)) {
    const worker = name.startsWith(`${basename(file)}.`) ? Number(name.slice(basename(file).length + 1)) : undefined;
    if (worker !== undefined && parentOf(worker) !== parent.pid) removeIfAllowed(join(folder, name));
  }
  for (const name of namesIn(gitFolder)) {
    if (!/^depot-hub-\d+-\d+(\.\d+)?$/.test(name)) continue;
    const path = join(gitFolder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats && stats.mtimeMs < Date.now() - STALE) removeIfAllowed(path);
  }
}

/** What cannot be removed stays: it may be another user's, and must not keep a hub from its end. */
function removeIfAllowed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // See above.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether a process has ended, also one that nobody has asked about yet. */
export function isGone({ pid, start }: Process): boolean {
  const fields = statOf(pid);
  return fields === undefined || fields[0] === 'Z' || fields[19] !== start;
}

/** NaN for one that has ended. Where the first process is slow to ask about orphans, they are still there as its zombies. */
function parentOf(pid: number): number {
  const fields = statOf(pid);
  return fields && fields[0] !== 'Z' ? Number(fields[1]) : Number.NaN;
}

/** From the third field of proc(5)'s stat on; the second may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

/** Whole lines only. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

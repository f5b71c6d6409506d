import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { errorCode } from '../backends/system-error.ts';

/**
 * A small file that counts for as long as somebody refreshes it: by it the processes of one push, on one computer, tell each
 * other what is being done. One that its holder, when killed, has left behind is taken over. Two may take it over at
 * once; whoever uses it must be able to bear that.
 */

/** Milliseconds without a sign of life after which the file no longer counts. */
const STALE = 10_000;
const REFRESH = 2500;

/**
 * Holds the file from now on, while the process lives.
 * @param counts whether what another has written there counts, if it is fresh.
 * @returns what gives it back; undefined while another holds it.
 * @throws Node's error when the folder is not there, or cannot be written to.
 */
export function hold(file: string, text: string, counts: (text: string) => boolean = () => true) {
  for (let tries = 0; tries < 3; tries++) {
    if (create(file, text)) {
      const stop = refresh(file);
      return () => {
        stop();
        rmSync(file, { force: true });
      };
    }
    if (isHeld(file, counts)) return undefined;
    rmSync(file, { force: true });
  }
  return undefined;
}

/** Whether somebody holds the file, and what is written there counts. */
export function isHeld(file: string, counts: (text: string) => boolean): boolean {
  return isFresh(file) && counts(textOf(file));
}

/** Keeps a file fresh, whoever made it, while the process lives. @returns what stops that. */
export function refresh(file: string): () => void {
  const timer = setInterval(() => touch(file), REFRESH).unref();
  return () => clearInterval(timer);
}

/** False when it is there already. */
function create(file: string, text: string): boolean {
  try {
    const fd = openSync(file, 'wx');
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A time in the future, of a clock that was set back, is no sign of life either. */
function isFresh(file: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) < STALE;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function touch(file: string): void {
  try {
    const now = new Date();
    utimesSync(file, now, now);
  } catch {
    // Another has removed it, and knows why.
  }
}

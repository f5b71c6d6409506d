import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../backends/errors.ts';
import { hold, refresh } from './held-file.ts';
import { parentPid } from './parent.ts';
import { trace } from './trace.ts';

/**
 * Tells the user something that is no failure, in one line: git-lfs shows what an agent writes to stderr only under GIT_TRACE,
 * so it goes to the terminal, if there is one. Never throws, and never waits for a terminal that takes nothing.
 */
export function notice(text: string): void {
  const line = printable(text);
  trace(line);
  // From the start of the line, over git-lfs's meter, which it then writes anew on the next.
  writeToTerminal(`\r${`lfs-depot: ${line}`.padEnd(METER)}${LINE_END}`);
}

/** Characters that git-lfs's meter may take. */
const METER = 78;

const LINE_END = process.platform === 'win32' ? '\r\n' : '\n';

/** What this process has told, by file. */
const told = new Set<string>();

/**
 * Tells it once in a push, although eight processes have it to tell.
 * @param folder must exist; where nothing can be written there, each process tells it.
 */
export function noticeOnce(folder: string, name: string, text: string): void {
  const file = join(folder, `told-${name}`);
  if (told.has(file)) return;
  told.add(file);
  if (isFirst(file)) notice(text);
  else trace(printable(text));
}

/** All agents of a push have git-lfs for a parent; on Windows the shell that it started each with. */
function isFirst(file: string): boolean {
  const push = process.platform === 'win32' ? 'a push' : String(parentPid());
  try {
    if (hold(file, push, (theirs) => theirs === push)) return true;
    refresh(file);
    return false;
  } catch {
    return true;
  }
}

/** Opened each time: hardly ever is anything told. */
function writeToTerminal(line: string): void {
  const windows = process.platform === 'win32';
  // Neither made the terminal of this process, nor waited for when it is stopped (Ctrl-S).
  const flags = windows ? constants.O_RDWR : constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
  try {
    const fd = openSync(windows ? '\\\\.\\CONOUT$' : '/dev/tty', flags);
    try {
      writeSync(fd, line);
    } finally {
      closeSync(fd);
    }
  } catch {
    // No terminal, or one that takes nothing now.
  }
}

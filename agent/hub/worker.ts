import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { LineBuffer } from '../line-buffer.ts';
import { writeLine } from '../stdio.ts';

/** The pipes that git-lfs gave to another process. */
export interface Worker {
  /** The next line; undefined at the end of input. */
  nextLine(): Promise<string | undefined>;
  /** False when nobody reads any more. */
  write(line: string): boolean;
  /** Undefined where there is none. */
  readonly stderr: number | undefined;
  close(): void;
}

/**
 * Opens the pipes of a process once more, through proc(5), so that they last when that process ends.
 * @param given lines that it has read already; an empty one was not there.
 * @throws Node's error when the process is gone, or its pipes may not be opened.
 */
export function openWorker(pid: number, given: string[]): Worker {
  // Non-blocking, since to open a pipe waits for its other end, which may be gone.
  const open = (fd: number, flags: number): number => openSync(`/proc/${pid}/fd/${fd}`, flags | constants.O_NONBLOCK);
  const input = open(0, constants.O_RDONLY);
  let output: number | undefined;
  try {
    output = open(1, constants.O_WRONLY);
  } catch (error) {
    closeSync(input);
    throw error;
  }
  let stderr: number | undefined;
  try {
    stderr = open(2, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    // Nobody hears its trace, then.
  }
  const lines = new LineBuffer();
  const waiting = given.filter((line) => line !== '');
  let ended = false;
  let wake = (): void => {};
  let socket: Socket | undefined;

  const end = (): void => {
    if (ended) return;
    ended = true;
    lines.end();
    wake();
  };

  return {
    // Asked for each time: a number that was closed may soon be another file's.
    get stderr() {
      return stderr;
    },
    nextLine: async () => {
      const first = waiting.shift();
      if (first !== undefined) return first;
      if (!socket) {
        socket = new Socket({ fd: input, readable: true, writable: false });
        socket.on('data', (bytes: Buffer) => {
          lines.add(bytes);
          wake();
        });
        socket.on('end', end).on('close', end).on('error', end);
      }
      for (;;) {
        const line = lines.shift();
        if (line !== undefined || ended) return line;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    write: (line) => output !== undefined && writeLine(output, line),
    close: () => {
      if (socket) socket.destroy();
      else closeSync(input);
      if (output !== undefined) closeSync(output);
      if (stderr !== undefined) closeSync(stderr);
      output = stderr = undefined;
    },
  };
}

import { read, writeSync } from 'node:fs';
import { LineBuffer } from './line-buffer.ts';

/**
 * The two pipes to git-lfs, straight on their file descriptors: `process.stdin` alone costs 3 ms of the 20 that a start
 * takes (docs/architecture.md, "Speed"), and its buffered twin on stdout may lose lines at exit.
 */

const CHUNK = 64 * 1024;

/** Gives the lines of a file descriptor, without their ends, one by one; then undefined. */
export function readLines(fd: number): () => Promise<string | undefined> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  const lines = new LineBuffer();
  let ended = false;

  return async () => {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined || ended) return line;
      const count = await readSome(fd, chunk);
      if (count > 0) lines.add(chunk.subarray(0, count));
      else {
        ended = true;
        lines.end();
        return lines.shift();
      }
    }
  };
}

/** Bytes read; 0 at the end. A pipe that its owner made non-blocking is asked again after a pause. */
async function readSome(fd: number, chunk: Buffer): Promise<number> {
  for (;;) {
    const got = await new Promise<number | 'again'>((resolve) => {
      read(fd, chunk, 0, chunk.length, null, (error, count) => {
        if (!error) resolve(count);
        else resolve(error.code === 'EAGAIN' ? 'again' : 0);
      });
    });
    if (got !== 'again') return got;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Writes a whole line, waiting for a slow reader. False when nobody reads any more. */
export function writeLine(fd: number, line: string): boolean {
  const bytes = Buffer.from(line, 'utf8');
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
  return true;
}

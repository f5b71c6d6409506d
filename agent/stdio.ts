import { read, writeSync } from 'node:fs';

/**
 * The two pipes to git-lfs, straight on their file descriptors: `process.stdin` alone costs 3 ms of the 20 that a start
 * takes (docs/architecture.md, "Speed"), and its buffered twin on stdout may lose lines at exit.
 */

/** Longer lines are not kept: no message of git-lfs comes near, and memory must not grow with what comes in. */
const LONGEST_LINE = 1024 * 1024;

const CHUNK = 64 * 1024;

/** Gives the lines of a file descriptor, without their ends, one by one; then undefined. */
export function readLines(fd: number): () => Promise<string | undefined> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  const lines: string[] = [];
  let rest: Buffer[] = [];
  let restLength = 0;
  let ended = false;

  const finish = (tail: Buffer): void => {
    const length = restLength + tail.length;
    const text = Buffer.concat([...rest, tail])
      .toString('utf8')
      .replace(/\r$/, '');
    // Not cut short: the beginning of a line can be a message of its own.
    lines.push(length > LONGEST_LINE ? `a line of ${length} bytes, which is too long` : text);
    rest = [];
    restLength = 0;
  };

  const accept = (bytes: Buffer): void => {
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      finish(bytes.subarray(start, end));
      start = end + 1;
    }
    const tail = bytes.subarray(start);
    restLength += tail.length;
    if (restLength > LONGEST_LINE) rest = [];
    else if (tail.length > 0) rest.push(Buffer.from(tail));
  };

  const next = async (): Promise<string | undefined> => {
    while (lines.length === 0 && !ended) {
      const count = await readSome(fd, chunk);
      if (count > 0) accept(chunk.subarray(0, count));
      else {
        ended = true;
        if (restLength > 0) finish(Buffer.alloc(0));
      }
    }
    return lines.shift();
  };

  return next;
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

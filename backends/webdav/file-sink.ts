import { createHash } from 'node:crypto';
import { ftruncateSync, readSync, writev } from 'node:fs';
import { localWriteTrouble } from '../local-file.ts';
import type { Progress, Sink } from './receive.ts';

/** An open local file, and how far it is. */
export interface Target {
  fd: number;
  localFile: string;
  state: Progress;
  /** True where the first bytes are from an earlier call. */
  began: boolean;
}

/** Bytes that are collected before they are written: twice as many take 3 MiB more memory, and half as many more time. */
const BATCH = 512 * 1024;

/** A local file as a sink that hashes what it takes. */
export interface FileSink extends Sink {
  /** Hashes what an earlier call left. */
  takeUp(): void;
  flush(): Promise<void>;
  /** Waits for what is being written, whatever comes of it. */
  settle(): Promise<void>;
  digest(): string | undefined;
}

/** Writes a megabyte at a time while the next one comes in. */
export function fileSink({ fd, localFile, state }: Target, hashes: boolean, tell: (bytes: number) => void): FileSink {
  let hash = hashes ? createHash('sha256') : undefined;
  let batch: Buffer[] = [];
  let size = 0;
  let position = state.have;
  let writing: Promise<void> = Promise.resolve();

  function write(): Promise<void> {
    const before = writing;
    const buffers = batch;
    const at = position;
    position += size;
    batch = [];
    size = 0;
    writing = before.then(() => writeAll(fd, buffers, at, localFile));
    writing.catch(() => {});
    return before;
  }

  return {
    take: (bytes) => {
      hash?.update(bytes);
      batch.push(bytes);
      size += bytes.length;
      if (size < BATCH) return undefined;
      const done = position + size;
      const before = write();
      tell(done);
      return before;
    },
    restart: async () => {
      await writing.catch(() => {});
      hash = hashes ? createHash('sha256') : undefined;
      batch = [];
      size = 0;
      position = 0;
      locally(localFile, () => ftruncateSync(fd, 0));
    },
    takeUp: () => {
      const buffer = Buffer.allocUnsafe(BATCH);
      for (let at = 0; at < state.have; ) {
        const got = locally(localFile, () => readSync(fd, buffer, 0, Math.min(BATCH, state.have - at), at));
        if (got === 0) break;
        hash?.update(buffer.subarray(0, got));
        at += got;
      }
      tell(state.have);
    },
    flush: async () => {
      const done = position + size;
      await write();
      await writing;
      if (done > 0) tell(done);
    },
    settle: async () => {
      // What was received and is not yet in the file counts for going on, too.
      await write().catch(() => {});
      await writing.catch(() => {
        state.have = 0;
      });
    },
    digest: () => hash?.digest('hex'),
  };
}

function writeAll(fd: number, buffers: Buffer[], at: number, localFile: string): Promise<void> {
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  if (total === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    writev(fd, buffers, at, (error, written) => {
      if (error) return reject(localWriteTrouble(error, localFile));
      if (written === total) {
        buffers.forEach(release);
        return resolve();
      }
      // A disk that takes a part only: the rest in one piece, which tells why.
      const rest = Buffer.concat(buffers).subarray(written);
      writeAll(fd, [rest], at + written, localFile).then(resolve, reject);
    });
  });
}

/**
 * Gives the memory of a chunk back, unless others lie in it, too. While it was written V8 may have looked twice, and taken it for
 * something that lasts: then it would stay until 64 MB of such were there.
 */
function release({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

/** Gives a failure of the user's own disk its name. */
export function locally<T>(localFile: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw localWriteTrouble(error, localFile);
  }
}

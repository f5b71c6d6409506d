import type { Hash } from 'node:crypto';
import { constants, copyFile, readSync, rm, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { newSha256 } from '../sha256.ts';
import { errorCode } from '../system-error.ts';
import { BUFFER } from './buffers.ts';
import { copyLarge, writeSome } from './copy-large.ts';
import { onSide } from './sides.ts';

/**
 * Moving bytes between two open files. Small files go synchronously: an asynchronous open, read, write and close cost
 * five times as much as the bytes of 10 KiB (docs/architecture.md, "Speed"). Large ones: copy-large.ts.
 */
export interface CopyOptions {
  /** Bytes that are expected. A longer source is copied up to here at most, and its excess counted, not written. */
  size: number;
  /** A second descriptor of the target for large files; see uncached.ts. */
  uncached?: number | undefined;
  /** Small files synchronously: not on what may be a network, where a read or write can hang. */
  direct: boolean;
  /** Is fed everything that was read. */
  hash?: Hash | undefined;
  signal?: AbortSignal | undefined;
  /** Told the bytes written so far, once a buffer. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/** The largest size, in bytes, that is moved synchronously. */
export const SMALL = BUFFER;

/**
 * Copies all of `source` to `target` (both file descriptors at their start); without a target it only reads and hashes.
 * Resolves to the bytes read. Rejects with the signal's reason when cancelled, or with the system's error, which carries
 * the side that failed (`sideOf`): one of the two is the store, the other the user's own disk.
 */
export async function copyBytes(source: number, target: number | undefined, options: CopyOptions): Promise<number> {
  options.signal?.throwIfAborted();
  return options.direct && options.size <= SMALL
    ? copySmall(source, target, options)
    : copyLarge(source, target, options);
}

function copySmall(source: number, target: number | undefined, options: CopyOptions): number {
  // One byte more than expected, to see a file that is longer; then it stops, and the caller sees a wrong size.
  const buffer = Buffer.allocUnsafe(Math.min(options.size + 1, BUFFER));
  let total = 0;
  for (;;) {
    const filled = onSide('source', () => readSync(source, buffer, 0, buffer.length, null));
    if (filled === 0 || total + filled > options.size) return total + filled;
    const chunk = buffer.subarray(0, filled);
    options.hash?.update(chunk);
    if (target !== undefined) onSide('target', () => writeFullySync(target, chunk));
    total += filled;
    options.onProgress?.(total);
    // A short read with all bytes in hand is the end; asking once more would cost a call for every small object.
    if (filled < buffer.length && total >= options.size) return total;
  }
}

/** Writes all of a small content. */
export async function writeAll(fd: number, content: Uint8Array, direct: boolean): Promise<void> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (direct) writeFullySync(fd, bytes);
  else for (let done = 0; done < bytes.length; ) done += await writeSome(fd, bytes.subarray(done), done);
}

function writeFullySync(fd: number, chunk: Buffer): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done, chunk.length - done, null);
}

/** The SHA-256 in hex of an open file, read from its start. */
export async function digestOf(fd: number, options: CopyOptions): Promise<string> {
  const hash = await newSha256();
  await copyBytes(fd, undefined, { ...options, hash });
  return hash.digest('hex');
}

/**
 * Clones `source` to the new file `target` where the filesystem shares blocks between files (APFS, Btrfs, XFS, ReFS):
 * no byte is moved. Leaves no target where it does not: `cannot` for a filesystem that never will, `failed` for the rest.
 */
export async function tryClone(source: string, target: string): Promise<'cloned' | 'cannot' | 'failed'> {
  try {
    await promisify(copyFile)(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return 'cloned';
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EEXIST') await promisify(rm)(target, { force: true });
    return code !== undefined && NO_CLONES.has(code) ? 'cannot' : 'failed';
  }
}

const NO_CLONES = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY', 'EBADF']);

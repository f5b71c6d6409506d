import type { Hash } from 'node:crypto';
import { closeSync, constants, openSync, readFile as readWhole, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import type { CallOptions, GetOptions } from '../backend.ts';
import { DepotError } from '../errors.ts';
import { damaged, localWriteTrouble } from '../local-file.ts';
import { newSha256 } from '../sha256.ts';
import { errorCode } from '../system-error.ts';
import { copyBytes, digestOf, SMALL, tryClone } from './copy.ts';
import { inside, looking, type Place, waiting } from './place.ts';
import { onSide, sideOf } from './sides.ts';

/** Copies a stored file into a new local file, by cloning where that works. Undefined when nothing is there. */
export async function getFile(
  place: Place,
  path: string,
  localFile: string,
  options: GetOptions | undefined,
  what: string,
): Promise<number | undefined> {
  const source = await openIfThere(place, path);
  if (source === undefined) return undefined;
  try {
    const { size } = await place.calls.fstat(source);
    const { expect } = options ?? {};
    if (expect && size !== expect.size) throw damaged(what, `has ${size} bytes, not ${expect.size}`);
    const hash = expect?.sha256 === undefined ? undefined : await newSha256();
    const copied = await copyOut(place, path, source, localFile, {
      ...options,
      size,
      hash,
      direct: place.calls.direct,
    });
    const sha256 = hash?.digest('hex');
    if (sha256 === expect?.sha256) return copied;
    rmSync(localFile, { force: true });
    throw damaged(what, `has the SHA-256 ${sha256}`);
  } catch (error) {
    throw sideOf(error) === 'target' ? localWriteTrouble(error, localFile) : error;
  } finally {
    await closeRead(place, source);
  }
}

interface CopyOut extends CallOptions {
  size: number;
  hash: Hash | undefined;
  direct: boolean;
}

async function copyOut(
  place: Place,
  path: string,
  source: number,
  localFile: string,
  options: CopyOut,
): Promise<number> {
  if (options.size > SMALL && !place.lacks.has('clones')) {
    const outcome = await tryClone(inside(place, path), localFile);
    if (outcome === 'cloned') return await hashClone(source, localFile, options);
    if (outcome === 'cannot') place.lacks.add('clones');
  }
  const target = onSide('target', () => openSync(localFile, 'wx'));
  let open = true;
  try {
    const copied = await copyBytes(source, target, options);
    open = false;
    // A full disk may show only here.
    onSide('target', () => closeSync(target));
    return copied;
  } catch (error) {
    if (open) closeSync(target);
    rmSync(localFile, { force: true });
    throw error;
  }
}

/** Hashes the source instead of a copy's flow: the clone has the same blocks. */
async function hashClone(source: number, localFile: string, options: CopyOut): Promise<number> {
  try {
    if (options.hash) return await copyBytes(source, undefined, options);
    options.onProgress?.(options.size);
    options.signal?.throwIfAborted();
    return options.size;
  } catch (error) {
    rmSync(localFile, { force: true });
    throw error;
  }
}

/** The hash of a stored file as it is read back. */
export async function digestFile(place: Place, path: string, options: CallOptions | undefined) {
  const source = await openIfThere(place, path);
  if (source === undefined) return undefined;
  try {
    const { size } = await place.calls.fstat(source);
    return await digestOf(source, { ...options, size, direct: place.calls.direct });
  } finally {
    await closeRead(place, source);
  }
}

const LARGEST_READ = 1024 * 1024;

/**
 * A small file whole. Asynchronous although it is small: it is the first thing that is asked of a store, and a share
 * that hangs must not hang the event loop, which has a cancel to notice.
 */
export async function readFile(place: Place, path: string, what: string): Promise<Buffer | undefined> {
  const calls = waiting(place);
  let fd: number | undefined;
  try {
    fd = await calls.open(inside(place, path), 'r');
    const stats = await calls.fstat(fd);
    if (stats.size <= LARGEST_READ) return stats.isFile() ? await promisify(readWhole)(fd) : undefined;
    const why = `it should be a small file, and has ${stats.size} bytes`;
    throw new DepotError('corrupt', { what, why, cure: 'something else was written there: put the right file back' });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'EISDIR') return undefined;
    throw error;
  } finally {
    if (fd !== undefined) await calls.close(fd);
  }
}

/** How the bytes are read then depends on the filesystem, see calls.ts. */
async function openIfThere(place: Place, path: string): Promise<number | undefined> {
  let fd: number;
  try {
    fd = await (place.calls.direct ? openOnDisk(place, path) : place.calls.open(inside(place, path), 'r'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  let isFile = false;
  try {
    isFile = (await place.calls.fstat(fd)).isFile();
    return isFile ? fd : undefined;
  } finally {
    if (!isFile) await closeRead(place, fd);
  }
}

/**
 * Does not wait for what may stand there instead of a file, a pipe that nobody writes to; nor, then, for whoever has a lease
 * of the file, as Samba's server has for its clients (fcntl(2), EAGAIN): that is waited for.
 */
async function openOnDisk(place: Place, path: string): Promise<number> {
  try {
    return await looking(place).open(inside(place, path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) !== 'EAGAIN') throw error;
    return waiting(place).open(inside(place, path), 'r');
  }
}

/** What a share that went away says here is of no matter: the file was only read, and all its bytes are judged. */
async function closeRead({ calls }: Place, fd: number): Promise<void> {
  try {
    await calls.close(fd);
  } catch {
    // See above.
  }
}

import { closeSync, fstatSync, openSync, readFile as readWhole, rmSync } from 'node:fs';
import type { CallOptions } from '../backend.ts';
import { DepotError } from '../errors.ts';
import { errorCode } from '../system-error.ts';
import { closeFile, copyBytes, digestOf, SMALL, tryClone } from './copy.ts';
import { fileStat, inside, type Place } from './place.ts';

/** Copies a stored file into a new local file, by cloning where that works. Undefined when nothing is there. */
export async function getFile(
  place: Place,
  path: string,
  localFile: string,
  options: CallOptions | undefined,
): Promise<number | undefined> {
  const source = openIfThere(place, path);
  if (source === undefined) return undefined;
  try {
    const size = fstatSync(source).size;
    if (size > SMALL && !place.lacks.has('clones')) {
      if (tryClone(inside(place, path), localFile)) {
        options?.onProgress?.(size);
        return size;
      }
      place.lacks.add('clones');
    }
    return await copyOut(source, localFile, size, options);
  } finally {
    closeSync(source);
  }
}

async function copyOut(source: number, localFile: string, size: number, options: CallOptions | undefined) {
  const target = openSync(localFile, 'wx');
  let open = true;
  try {
    const copied = await copyBytes(source, target, { ...options, size });
    open = false;
    await closeFile(target, size);
    return copied;
  } catch (error) {
    if (open) closeSync(target);
    rmSync(localFile, { force: true });
    throw error;
  }
}

/** The hash of a stored file as it is read back. */
export async function digestFile(place: Place, path: string, options: CallOptions | undefined) {
  const source = openIfThere(place, path);
  if (source === undefined) return undefined;
  try {
    return await digestOf(source, { ...options, size: fstatSync(source).size });
  } finally {
    closeSync(source);
  }
}

const LARGEST_READ = 1024 * 1024;

/**
 * A small file whole. Asynchronous although it is small: it is the first thing that is asked of a store, and a share
 * that hangs must not hang the event loop, which has a cancel to notice.
 */
export async function readFile(place: Place, path: string, what: string): Promise<Buffer | undefined> {
  const file = inside(place, path);
  const content = await new Promise<Buffer | undefined>((resolve, reject) => {
    readWhole(file, (error, bytes) => {
      if (!error) resolve(bytes);
      else if (error.code === 'ENOENT') resolve(undefined);
      else reject(error);
    });
  });
  if (content && content.length > LARGEST_READ) {
    const why = `it should be a small file, and has ${content.length} bytes`;
    throw new DepotError('corrupt', { what, why, cure: 'something else was written there: put the right file back' });
  }
  return content;
}

function openIfThere(place: Place, path: string): number | undefined {
  const file = inside(place, path);
  try {
    const fd = openSync(file, 'r');
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
    return undefined;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    // A folder on the way that is a file gives ENOTDIR and is an error; a name that is free is absence.
    return fileStat(file) ? openSync(file, 'r') : undefined;
  }
}

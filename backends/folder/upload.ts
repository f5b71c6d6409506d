import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsync, fsyncSync, futimesSync, openSync, writeSync } from 'node:fs';
import type { PutOptions, PutOutcome } from '../backend.ts';
import { DepotError } from '../errors.ts';
import { errorCode, fromSystemError } from '../system-error.ts';
import { closeFile, copyBytes, SMALL, sideOf, tryClone } from './copy.ts';
import { applyModes } from './modes.ts';
import { inside, modes, openTemp, type Place, tempName } from './place.ts';
import { publish, removeIfThere } from './publish.ts';

/** Temp file → hash as it flows → sync → final name. See the contract of `put` in backend.ts. */
export async function putFile(
  place: Place,
  path: string,
  localFile: string,
  options: PutOptions,
  what: string,
): Promise<PutOutcome> {
  const cloned = options.size > SMALL ? cloneToTemp(place, localFile) : undefined;
  const { fd, file } = cloned ?? openTemp(place, 'put', what);
  let open = true;
  try {
    const size = cloned ? await check(fd, options, what) : await fill(fd, localFile, options, what);
    await syncFile(fd, size);
    open = false;
    await closeFile(fd, size);
    options.signal?.throwIfAborted();
    return publish(place, file, inside(place, path), { what, replace: options.replace, mustBeMounted: true });
  } finally {
    if (open) closeSync(fd);
    removeIfThere(file);
  }
}

/** A small file, without the look for the anchor: it may be the anchor. */
export async function writeFile(place: Place, path: string, content: Uint8Array, what: string): Promise<PutOutcome> {
  const { fd, file } = openTemp(place, 'write', what);
  let open = true;
  try {
    for (let done = 0; done < content.length; ) done += writeSync(fd, content, done);
    await syncFile(fd, content.length);
    open = false;
    closeSync(fd);
    return publish(place, file, inside(place, path), { what, mustBeMounted: false });
  } finally {
    if (open) closeSync(fd);
    removeIfThere(file);
  }
}

/** Copies the local file into the temp file, hashing what it writes. */
async function fill(fd: number, localFile: string, options: PutOptions, what: string): Promise<number> {
  const source = openLocal(localFile, what);
  try {
    const found = fstatSync(source);
    if (!found.isFile()) throw notAFile(localFile, what);
    if (found.size !== options.size) compare(found.size, '', localFile, options, what);
    const hash = createHash('sha256');
    const size = await copyBytes(source, fd, { ...options, hash });
    compare(size, hash.digest('hex'), localFile, options, what);
    return size;
  } catch (error) {
    throw sideOf(error) === 'source'
      ? fromSystemError(error, `cannot read ${localFile}, on this computer`, 'read')
      : error;
  } finally {
    closeSync(source);
  }
}

/** Hashes the clone, not the source: the source may change behind it. */
async function check(fd: number, options: PutOptions, what: string): Promise<number> {
  const hash = createHash('sha256');
  const size = await copyBytes(fd, undefined, { ...options, hash });
  compare(size, hash.digest('hex'), 'the local file', options, what);
  return size;
}

function compare(size: number, sha256: string, localFile: string, expected: PutOptions, what: string): void {
  if (size === expected.size && sha256 === expected.sha256) return;
  const why =
    size === expected.size
      ? `${localFile} has the SHA-256 ${sha256}, not ${expected.sha256}: it is damaged`
      : `${localFile} has ${size} bytes, not ${expected.size}`;
  const cure = 'nothing was stored; get a good copy of the file back, `git lfs fsck` shows which it is';
  throw new DepotError('corrupt', { what, why, cure });
}

/** The clone as a temp file, open for reading and sync; undefined where this filesystem cannot clone. */
function cloneToTemp(place: Place, localFile: string): { fd: number; file: string } | undefined {
  if (place.lacks.has('clones')) return undefined;
  const file = tempName(place, 'put');
  const outcome = tryClone(localFile, file);
  if (outcome === 'cannot') place.lacks.add('clones');
  if (outcome !== 'cloned') return undefined;
  const fd = openSync(file, 'r+');
  applyModes(fd, modes(place));
  // A clone may keep the time of its source, and a temp file with an old time is swept.
  const now = new Date();
  futimesSync(fd, now, now);
  return { fd, file };
}

function notAFile(localFile: string, what: string): DepotError {
  const cure = 'nothing was stored; run `git lfs fsck`, which shows what is wrong';
  return new DepotError('corrupt', { what, why: `${localFile} is not a file`, cure });
}

function openLocal(localFile: string, what: string): number {
  try {
    return openSync(localFile, 'r');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT')
      throw fromSystemError(error, `cannot read ${localFile}, on this computer`, 'read');
    const cure = 'run `git lfs fsck`, then fetch the object from wherever it still is';
    throw new DepotError('corrupt', { what, why: `the local file ${localFile} does not exist`, cure, cause: error });
  }
}

/** Puts the file's data on the disk before its name can be: off the event loop when it may take long. */
function syncFile(fd: number, size: number): Promise<void> | void {
  const forgive = (error: unknown): void => {
    const code = errorCode(error);
    if (code !== 'EINVAL' && code !== 'ENOSYS' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
  };
  if (size > SMALL) {
    return new Promise<void>((resolve, reject) => fsync(fd, (error) => (error ? reject(error) : resolve()))).catch(
      forgive,
    );
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    forgive(error);
  }
}

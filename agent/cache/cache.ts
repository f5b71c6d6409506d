import { constants, renameSync, rmSync } from 'node:fs';
import { open, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOptions } from '../../backends/backend.ts';
import { cancelled, DepotError, isKind, throwIfCancelled } from '../../backends/errors.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { onSide, sideOf } from '../../backends/folder/sides.ts';
import { localWriteTrouble } from '../../backends/local-file.ts';
import { errorCode, fromSystemError } from '../../backends/system-error.ts';
import type { Config } from '../config.ts';
import { objectPath } from '../layout.ts';
import type { Oid } from '../oid.ts';
import { trace } from '../trace.ts';
import { isCacheFolder, makeCacheFolder, TAG } from './folder.ts';
import { PATIENCE, withRoom } from './room.ts';
import { type CacheSettings, cacheSettings } from './settings.ts';

/**
 * A folder that all clones of a computer, or a CI runner, read through and fill: `depot.cache`, `depot.cacheSize`.
 *
 * Objects leave it as copies, or as clones of their blocks where the filesystem has such (a clone's later writes go
 * elsewhere). Never as hard links: a program that writes into such a file in one repository would write into the cache.
 */
export interface Cache {
  /**
   * Copies the object, verified, into `localFile`; what a download that broke off has left there is replaced. False when the
   * cache does not have it, or had it damaged: then it is removed from the cache, after `onProgress` was told of bytes.
   * Trouble of the cache itself is traced and never thrown.
   * @throws DepotError `cancelled`, and what kept `localFile` from being written.
   */
  get(oid: Oid, size: number, localFile: string, options?: CallOptions): Promise<boolean>;
  /**
   * Brings an object that was just downloaded and verified. Trouble is traced and never thrown.
   * @throws DepotError `cancelled`.
   */
  add(oid: Oid, size: number, localFile: string, options?: CallOptions): Promise<void>;
}

/** Objects that take more of the bound are not kept: one of them would push out too much that is used more often. */
const LARGEST = 1 / 4;

/**
 * The cache that git config names, if any; touches nothing of it.
 * @throws DepotError `configuration` for values that cannot be used.
 */
export async function cacheFrom(config: Config): Promise<Cache | undefined> {
  const settings = await cacheSettings(config);
  return settings && cacheIn(settings);
}

export function cacheIn({ folder: root, bound }: CacheSettings): Cache {
  const backend = openFolder(root, {
    location: root,
    anchor: TAG,
    temp: 'tmp',
    platform: process.platform,
    durable: false,
  });
  const room = { root, bound, backend, patience: PATIENCE };
  /** Whether its tag was seen; and whether all that filling needs was made. */
  let stands = false;
  let isMade = false;
  /** Not used for the rest of this process, which is no longer than a push or a pull. */
  let isOff = false;
  /** Only read for the rest of it. */
  let isClosed = false;

  async function get(oid: Oid, size: number, localFile: string, options: CallOptions = {}): Promise<boolean> {
    throwIfCancelled(options.signal, `cannot fetch ${oid}`);
    if (isOff) return false;
    const path = objectPath(oid);
    try {
      stands ||= await isCacheFolder(backend, root);
      if (!stands) return false;
      // What is no file, like a pipe, is not opened: that could hang.
      if (!(await backend.stat(path, { signal: options.signal, beforePut: true }))) return false;
      const expect = { size, sha256: oid };
      if ((await copyOver(path, localFile, { ...options, expect })) === undefined) return false;
      await noteUse(join(root, path), size);
      return true;
    } catch (error) {
      if (options.signal?.aborted) throw cancelled(`cannot fetch ${oid}`);
      if (isOfLocalFile(error)) throw error;
      if (isKind(error, 'corrupt')) await removeDamaged(path, error);
      else giveUp(error, 'reading');
      return false;
    }
  }

  /** The local file must be new, and may be there: rarely enough not to look each time. */
  async function copyOver(path: string, localFile: string, options: Parameters<typeof backend.get>[2]) {
    try {
      return await backend.get(path, localFile, options);
    } catch (error) {
      if (!isOfLocalFile(error) || errorCode(error.cause) !== 'EEXIST') throw error;
    }
    const beside = `${localFile}.cached`;
    const copied = await backend.get(path, beside, options);
    if (copied === undefined) return undefined;
    try {
      onSide('target', () => renameSync(beside, localFile));
    } catch (error) {
      rmSync(beside, { force: true });
      throw localWriteTrouble(error, localFile);
    }
    return copied;
  }

  async function removeDamaged(path: string, { message }: DepotError): Promise<void> {
    try {
      await backend.remove(path);
      trace(`${message}; removed`);
    } catch (error) {
      trace(`${message}; and it cannot be removed: ${error}`);
    }
  }

  async function add(oid: Oid, size: number, localFile: string, { signal }: CallOptions = {}): Promise<void> {
    throwIfCancelled(signal, `cannot keep ${oid} in ${root}`);
    if (isOff || isClosed || size > bound * LARGEST) return;
    const wasMade = isMade;
    try {
      if (!isMade) await makeCacheFolder(backend, root);
      isMade = true;
      await fill(oid, size, localFile, signal);
    } catch (error) {
      if (signal?.aborted) throw cancelled(`cannot keep ${oid} in ${root}`);
      // The whole cache may be removed at any time; then it is made anew.
      if (wasMade && (isKind(error, 'no-store') || errorCode(error) === 'ENOENT')) isMade = false;
      else giveUp(error, 'filling');
    }
  }

  async function fill(oid: Oid, size: number, localFile: string, signal: AbortSignal | undefined): Promise<void> {
    const path = objectPath(oid);
    const found = await backend.stat(path, { signal, beforePut: true });
    if (found?.size === size) return;
    if (found) await backend.remove(path, { signal });
    const put = () => backend.put(path, localFile, { size, sha256: oid, signal });
    const outcome = await withRoom(room, size, signal, put);
    if (outcome === 'overdue') await backend.remove(path);
    if (outcome === 'no room') {
      // Objects that cannot be removed, or another's that are on their way: to count again for each object takes too long.
      isClosed = true;
      trace(`nothing is added to the cache ${root} any more: no room could be made in it`);
    }
  }

  /** What says more of the cache than of one object turns it off, so that it is told, and waited for, once. */
  function giveUp(error: unknown, verb: 'reading' | 'filling'): void {
    const trouble = fromSystemError(error, `cannot use the cache ${root}`);
    trace(`${verb} the cache: ${trouble.message}`);
    if (isKind(trouble, 'configuration', 'unreachable', 'unsupported')) isOff = true;
    else if (verb === 'filling' && !isKind(trouble, 'corrupt', 'conflict')) isClosed = true;
    else if (isKind(trouble, 'no-store')) stands = false;
  }

  return { get, add };
}

/** Whether it is the user's own file that could not be written, and not the cache that could not be read. */
function isOfLocalFile(error: unknown): error is DepotError {
  return error instanceof DepotError && sideOf(error.cause) === 'target';
}

/** Makes the object the youngest. It is right that this fails where the cache is only read. */
async function noteUse(file: string, size: number): Promise<void> {
  const now = new Date();
  try {
    await utimes(file, now, now);
  } catch (error) {
    // A colleague's: only its owner may set times, but who may write has a new one by setting the size it has (Linux).
    if (errorCode(error) === 'EPERM') await keepSize(file, size).catch(() => {});
  }
}

async function keepSize(file: string, size: number): Promise<void> {
  const handle = await open(file, constants.O_WRONLY);
  try {
    if ((await handle.stat()).size === size) await handle.truncate(size);
  } finally {
    await handle.close();
  }
}

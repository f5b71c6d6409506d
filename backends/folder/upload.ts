import { closeSync, futimes } from 'node:fs';
import { promisify } from 'node:util';
import type { PutOptions, PutOutcome } from '../backend.ts';
import { assertPromised, localReadTrouble, openSource } from '../local-file.ts';
import { newSha256 } from '../sha256.ts';
import { errorCode } from '../system-error.ts';
import { type Calls, WAITING } from './calls.ts';
import { copyBytes, SMALL, tryClone, writeAll } from './copy.ts';
import { applyModes } from './modes.ts';
import { inside, leaveToSweep, modes, openTemp, type Place, tempName } from './place.ts';
import { publish } from './publish.ts';
import { sideOf } from './sides.ts';
import { openUncached } from './uncached.ts';

/** Temp file → hash as it flows → sync → final name. See the contract of `put` in backend.ts. */
export async function putFile(
  place: Place,
  path: string,
  localFile: string,
  options: PutOptions,
  what: string,
): Promise<PutOutcome> {
  const cloned = options.size > SMALL ? await cloneToTemp(place, localFile) : undefined;
  const { fd, file } = cloned ?? (await openTemp(place, 'put', what));
  // Large files are waited for on every disk: their fsync takes long.
  const calls = options.size > SMALL ? WAITING : place.calls;
  let open = true;
  try {
    if (cloned) await check(fd, options, what);
    else if (options.size > SMALL) await fillUncached(place, fd, localFile, options, what);
    else await fill(fd, localFile, { ...options, direct: calls.direct }, what);
    if (place.durable) await syncFile(calls, fd);
    open = false;
    await calls.close(fd);
    options.signal?.throwIfAborted();
    return await publish(place, file, inside(place, path), { what, replace: options.replace, mustBeMounted: true });
  } finally {
    if (open) await calls.close(fd);
    await leaveToSweep(place, file);
  }
}

/** A small file, without the look for the anchor: it may be the anchor. */
export async function writeFile(place: Place, path: string, content: Uint8Array, what: string): Promise<PutOutcome> {
  const { calls } = place;
  const { fd, file } = await openTemp(place, 'write', what);
  let open = true;
  try {
    await writeAll(fd, content, calls.direct);
    if (place.durable) await syncFile(calls, fd);
    open = false;
    await calls.close(fd);
    return await publish(place, file, inside(place, path), { what, mustBeMounted: false });
  } finally {
    if (open) await calls.close(fd);
    await leaveToSweep(place, file);
  }
}

/** `fill`, past the system's cache where that can be done. */
async function fillUncached(
  place: Place,
  fd: number,
  localFile: string,
  options: PutOptions,
  what: string,
): Promise<void> {
  const uncached = await openUncached(place, fd);
  try {
    await fill(fd, localFile, { ...options, direct: false, uncached }, what);
  } finally {
    if (uncached !== undefined) await WAITING.close(uncached);
  }
}

/** Copies the local file into the temp file, hashing what it writes. */
async function fill(
  fd: number,
  localFile: string,
  options: PutOptions & { direct: boolean; uncached?: number | undefined },
  what: string,
): Promise<void> {
  const source = openSource(localFile, options, what);
  try {
    const hash = await newSha256();
    const size = await copyBytes(source, fd, { ...options, hash });
    assertPromised({ size, sha256: hash.digest('hex') }, localFile, options, what);
  } catch (error) {
    throw sideOf(error) === 'source' ? localReadTrouble(error, localFile) : error;
  } finally {
    closeSync(source);
  }
}

/** Hashes the clone, not the source: the source may change behind it. */
async function check(fd: number, options: PutOptions, what: string): Promise<void> {
  const hash = await newSha256();
  const size = await copyBytes(fd, undefined, { ...options, hash, direct: false });
  assertPromised({ size, sha256: hash.digest('hex') }, 'the local file', options, what);
}

/** The clone as a temp file, open for reading and sync; undefined where this filesystem cannot clone. */
async function cloneToTemp(place: Place, localFile: string): Promise<{ fd: number; file: string } | undefined> {
  if (place.lacks.has('clones')) return undefined;
  const file = tempName(place, 'put');
  const outcome = await tryClone(localFile, file);
  if (outcome === 'cannot') place.lacks.add('clones');
  if (outcome !== 'cloned') return undefined;
  let fd: number | undefined;
  try {
    // A clone has the mode of its source, which may be read-only.
    await place.calls.chmod(file, 0o600);
    fd = await place.calls.open(file, 'r+');
    await applyModes(place.calls, fd, await modes(place));
    // It may have its time too, and a temp file with an old time is swept.
    const now = new Date();
    await promisify(futimes)(fd, now, now);
    return { fd, file };
  } catch (error) {
    if (fd !== undefined) await place.calls.close(fd);
    await leaveToSweep(place, file);
    throw error;
  }
}

const CANNOT_SYNC = new Set<string | undefined>(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** Puts the file's data on the disk before its name can be there. */
async function syncFile(calls: Calls, fd: number): Promise<void> {
  try {
    await calls.fsync(fd);
  } catch (error) {
    if (!CANNOT_SYNC.has(errorCode(error))) throw error;
  }
}

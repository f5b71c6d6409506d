import { dirname } from 'node:path';
import type { PutOutcome } from '../backend.ts';
import { isKind } from '../errors.ts';
import { errorCode } from '../system-error.ts';
import type { Calls } from './calls.ts';
import { type Modes, makeFolder } from './modes.ts';
import { isHeld } from './patience.ts';
import {
  asideName,
  asMade,
  assertMounted,
  fileStat,
  leaveToSweep,
  modes,
  type Place,
  tempName,
  versionOf,
} from './place.ts';

export interface PublishOptions {
  what: string;
  /** The version that may be replaced. */
  replace?: string | undefined;
  /** False for the anchor itself, and for what is written before it. */
  mustBeMounted: boolean;
}

/**
 * Gives a finished, synced temp file its final name: atomically, and never over something that stands there.
 *
 * A hard link is the one operation of every platform's `fs` that fails when the name is taken. Where links are not to be
 * had (FAT, some FUSE and SMB servers) the name is looked at and then renamed onto; the only file that a race can then
 * replace has the same hash. To replace on purpose, a local disk is given one rename, which has no moment without a file;
 * elsewhere the old file goes aside first, because on SMB a rename over an open file was seen to lose it.
 *
 * The temp file is the caller's to remove.
 */
export async function publish(place: Place, temp: string, final: string, options: PublishOptions): Promise<PutOutcome> {
  let aside: string | undefined;
  try {
    for (let tries = 0; ; tries++) {
      const refusal = await giveName(place, temp, final);
      if (refusal === undefined) break;
      if (tries === 5) throw refusal.error;
      if (refusal.code === 'ENOENT') {
        if (options.mustBeMounted) await assertMounted(place, options.what);
        await makeFolders(place, dirname(final));
      } else if (aside !== undefined) {
        await leaveToSweep(place, aside);
        return 'exists';
      } else if (options.replace === undefined) {
        return 'exists';
      } else if (place.calls.direct) {
        if (!(await isStill(place, final, options.replace))) return 'exists';
        await place.calls.rename(temp, final);
        break;
      } else {
        aside = await moveAside(place, final, options.replace);
        if (aside === undefined) return 'exists';
      }
    }
  } catch (error) {
    if (aside !== undefined) await putBack(place, aside, final);
    throw error;
  }
  if (options.mustBeMounted) await assertStillMounted(place, final, options.what);
  await syncFolder(place, dirname(final));
  if (aside !== undefined) await leaveToSweep(place, aside);
  return 'created';
}

/**
 * The share may have gone away since the temp file was made, and a folder under its mount point have taken the file. Only
 * then is it removed: when the anchor merely cannot be asked, another writer may already rely on the object.
 */
async function assertStillMounted(place: Place, final: string, what: string): Promise<void> {
  try {
    await assertMounted(place, what);
  } catch (error) {
    if (isKind(error, 'no-store')) await leaveToSweep(place, final);
    throw error;
  }
}

/** Whether what stands there is the version that was judged. */
async function isStill({ calls }: Place, path: string, version: string): Promise<boolean> {
  const standing = await fileStat(calls, path);
  return standing !== undefined && versionOf(standing) === version;
}

interface Refusal {
  code: 'ENOENT' | 'EEXIST';
  error: unknown;
}

/** Undefined when `final` is now the file; otherwise why not: its parent is missing, or the name is taken. */
async function giveName({ calls, lacks }: Place, temp: string, final: string): Promise<Refusal | undefined> {
  if (!lacks.has('links')) {
    try {
      await calls.link(temp, final);
      return undefined;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT' || code === 'EEXIST') return { code, error };
      // Cancelled, or held by somebody for long: that says nothing about links.
      if (code === undefined || isHeld(error)) throw error;
    }
  }
  if (await calls.stat(final)) return { code: 'EEXIST', error: new Error(`${final} exists`) };
  try {
    await calls.rename(temp, final);
    // Only now is it known that links were the trouble, and not a lack of permission.
    lacks.add('links');
    return undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { code: 'ENOENT', error };
    throw error;
  }
}

/**
 * Moves what stands at `final` out of the way if it still is the version that was judged; undefined when it is not.
 * Checked again after the move: a second healer may have put the right one there between look and move.
 */
async function moveAside(place: Place, final: string, version: string): Promise<string | undefined> {
  const { calls } = place;
  if (!(await isStill(place, final, version))) return undefined;
  const aside = asideName(place, final);
  try {
    await calls.rename(final, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return aside;
    throw error;
  }
  if (await isStill(place, aside, version)) return aside;
  await putBack(place, aside, final);
  return undefined;
}

/** Gives a file that was moved aside its name back, unless another has it now. True when something stands there then. */
export async function putBack(place: Place, aside: string, final: string): Promise<boolean> {
  const { calls } = place;
  try {
    await calls.link(aside, final);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return false;
    if (code !== 'EEXIST' && !(await calls.stat(final))) {
      await calls.rename(aside, final);
      return true;
    }
  }
  await leaveToSweep(place, aside);
  return true;
}

/**
 * Makes the folders from the root down to `path`. Each is made in the temp folder, given group and mode there, and
 * renamed into place: made in place it would have the umask's mode for a moment, in which a colleague's push fails.
 */
async function makeFolders(place: Place, path: string): Promise<void> {
  const { calls } = place;
  const wanted = await modes(place);
  if (!wanted || asMade(place).folders) return makeInPlace(place, path, wanted);
  if (path.length <= place.root.length || (await calls.stat(path))?.isDirectory()) return;
  await makeFolders(place, dirname(path));
  const staged = tempName(place, 'folder');
  await makeFolder(calls, staged, wanted, asMade(place));
  try {
    await calls.rename(staged, path);
  } catch (error) {
    // Gone when the rename was done and only its answer was lost.
    await leaveFolder(calls, staged);
    // A colleague's rename onto a parent that was still empty took our place; whoever called looks again.
    if (errorCode(error) === 'ENOENT') return;
    if (!(await calls.stat(path))?.isDirectory()) throw error;
  }
}

async function leaveFolder(calls: Calls, path: string): Promise<void> {
  try {
    await calls.rmdir(path);
  } catch {
    // A sweep takes it, if it is still there.
  }
}

/** Where files have no modes (Windows), or folders the right ones as they are made, there is nothing to give a folder first. */
async function makeInPlace(place: Place, path: string, modes: Modes | undefined): Promise<void> {
  if (path.length <= place.root.length) return;
  for (let hasParent = false; ; hasParent = true) {
    try {
      return await place.calls.mkdir(path, modes?.folder);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EEXIST') return;
      if (code !== 'ENOENT' || hasParent) throw error;
      await makeInPlace(place, dirname(path), modes);
    }
  }
}

const NO_FOLDER_FSYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EISDIR', 'EBADF']);

/** Makes the new name survive a loss of power. Windows and some shares cannot sync a folder; they write names through. */
async function syncFolder({ calls, lacks, platform, durable }: Place, path: string): Promise<void> {
  if (!durable || platform === 'win32' || lacks.has('folder-fsync')) return;
  let fd: number | undefined;
  try {
    fd = await calls.open(path, 'r');
    await calls.fsync(fd);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EIO' || code === 'ENOSPC' || code === 'EDQUOT') throw error;
    if (code !== undefined && NO_FOLDER_FSYNC.has(code)) lacks.add('folder-fsync');
  } finally {
    if (fd !== undefined) await calls.close(fd);
  }
}

import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PutOutcome } from '../backend.ts';
import { errorCode } from '../system-error.ts';
import { makeFolder } from './modes.ts';
import { assertMounted, fileStat, modes, type Place, tempName, versionOf } from './place.ts';

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
 * replace has the same hash. A rename over an open file may lose it on SMB, so replacing goes aside first.
 *
 * The temp file is the caller's to remove.
 */
export function publish(place: Place, temp: string, final: string, options: PublishOptions): PutOutcome {
  let aside: string | undefined;
  try {
    for (let tries = 0; ; tries++) {
      const refusal = giveName(place, temp, final);
      if (refusal === undefined) break;
      if (tries === 5) throw refusal.error;
      if (refusal.code === 'ENOENT') {
        if (options.mustBeMounted) assertMounted(place, options.what);
        makeFolders(place, dirname(final));
      } else if (aside !== undefined) {
        removeIfThere(aside);
        return 'exists';
      } else if (options.replace === undefined) {
        return 'exists';
      } else {
        aside = moveAside(place, final, options.replace);
        if (aside === undefined) return 'exists';
      }
    }
  } catch (error) {
    if (aside !== undefined) putBack(aside, final);
    throw error;
  }
  syncFolder(place, dirname(final));
  if (aside !== undefined) removeIfThere(aside);
  return 'created';
}

/** False when there was nothing to remove. */
export function removeIfThere(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Undefined when `final` is now the file; otherwise why not: its parent is missing, or the name is taken. */
function giveName(
  place: Place,
  temp: string,
  final: string,
): { code: 'ENOENT' | 'EEXIST'; error: unknown } | undefined {
  if (!place.lacks.has('links')) {
    try {
      linkSync(temp, final);
      return undefined;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT' || code === 'EEXIST') return { code, error };
    }
  }
  if (statSync(final, { throwIfNoEntry: false })) return { code: 'EEXIST', error: new Error(`${final} exists`) };
  try {
    renameSync(temp, final);
    // Only now is it known that links were the trouble, and not a lack of permission.
    place.lacks.add('links');
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
function moveAside(place: Place, final: string, version: string): string | undefined {
  const standing = fileStat(final);
  if (standing && versionOf(standing) !== version) return undefined;
  const aside = tempName(place, 'aside');
  try {
    renameSync(final, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return aside;
    throw error;
  }
  const moved = fileStat(aside);
  if (moved && versionOf(moved) === version) return aside;
  putBack(aside, final);
  return undefined;
}

function putBack(aside: string, final: string): void {
  try {
    linkSync(aside, final);
    unlinkSync(aside);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return;
    if (code === 'EEXIST') removeIfThere(aside);
    else if (!statSync(final, { throwIfNoEntry: false })) renameSync(aside, final);
  }
}

/**
 * Makes the folders from the root down to `path`. Each is made in the temp folder, given group and mode there, and
 * renamed into place: made in place it would have the umask's mode for a moment, in which a colleague's push fails.
 */
function makeFolders(place: Place, path: string): void {
  if (path.length <= place.root.length || statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  makeFolders(place, dirname(path));
  const wanted = modes(place);
  if (!wanted) {
    makeInPlace(path);
    return;
  }
  const staged = tempName(place, 'folder');
  makeFolder(staged, wanted);
  try {
    renameSync(staged, path);
  } catch (error) {
    rmdirSync(staged);
    // A colleague's rename onto a parent that was still empty took our place; whoever called looks again.
    if (errorCode(error) === 'ENOENT') return;
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** Where files have no modes (Windows), there is nothing to give a folder first. */
function makeInPlace(path: string): void {
  try {
    makeFolder(path, undefined);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** Makes the new name survive a loss of power. Windows and some shares cannot sync a folder; they write names through. */
function syncFolder(place: Place, path: string): void {
  if (place.platform === 'win32' || place.lacks.has('folder-fsync')) return;
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    fsyncSync(fd);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EIO' || code === 'ENOSPC' || code === 'EDQUOT') throw error;
    place.lacks.add('folder-fsync');
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

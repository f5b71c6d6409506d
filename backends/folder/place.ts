import { randomBytes } from 'node:crypto';
import { type BigIntStats, openSync, stat, statSync } from 'node:fs';
import { join } from 'node:path';
import { DepotError } from '../errors.ts';
import { errorCode } from '../system-error.ts';
import { applyModes, type Modes, makeFolder, modesOf } from './modes.ts';

/** One open folder backend: where it is, and what is remembered about it while the process lives. */
export interface Place {
  readonly root: string;
  /** The location as the user wrote it. */
  readonly location: string;
  /** Relative to the root; '' for the root itself. */
  readonly anchor: string;
  readonly temp: string;
  readonly platform: NodeJS.Platform;
  /** Read from the root once; see `modes()`. */
  modes?: { known: Modes | undefined };
  /** Set once a hard link, a clone or a folder's fsync was refused here: it is not tried again. */
  readonly lacks: Set<'links' | 'clones' | 'folder-fsync'>;
}

/** The native path of `path`, which is relative to the root. */
export function inside(place: Place, path: string): string {
  return join(place.root, path);
}

export function modes(place: Place): Modes | undefined {
  place.modes ??= { known: modesOf(place.root, place.platform) };
  return place.modes.known;
}

/** A name in the temp folder that nobody else uses, on any machine. */
export function tempName(place: Place, purpose: string): string {
  return join(place.root, place.temp, `${purpose}-${randomBytes(12).toString('hex')}`);
}

/**
 * A new, empty temp file, open for writing. A missing temp folder is made again, but only where the anchor stands:
 * under the mount point of an absent share nothing is ever created.
 */
export function openTemp(place: Place, purpose: string, what: string): { fd: number; file: string } {
  const file = tempName(place, purpose);
  let fd: number;
  try {
    fd = openSync(file, 'wx+');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    assertMounted(place, what);
    makeTempFolder(place);
    fd = openSync(file, 'wx+');
  }
  applyModes(fd, modes(place));
  return { fd, file };
}

export function makeTempFolder(place: Place): void {
  const parts = place.temp.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    try {
      makeFolder(inside(place, parts.slice(0, depth).join('/')), modes(place));
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** @throws DepotError `no-store` unless the anchor stands; whatever the system says when it cannot be asked. */
export function assertMounted(place: Place, what: string): void {
  if (statSync(inside(place, place.anchor), { throwIfNoEntry: false })) return;
  const root = statSync(place.root, { throwIfNoEntry: false });
  throw new DepotError('no-store', {
    what,
    why: `not mounted, or not a store yet: ${root?.isDirectory() ? `there is no ${place.anchor} in ${place.location}` : `${place.location} does not exist`}`,
    cure: 'mount the disk or share that holds it, then try again',
  });
}

/** The stats of a regular file; undefined when nothing, or something else, is there. */
export function fileStat(path: string): BigIntStats | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() ? stats : undefined;
}

/** The same, asynchronous: for the first touch of an object, so that a cancel is noticed though the share hangs. */
export function fileStatSoon(path: string): Promise<BigIntStats | undefined> {
  return new Promise((resolve, reject) => {
    stat(path, { bigint: true }, (error, stats) => {
      if (!error) resolve(stats.isFile() ? stats : undefined);
      else if (error.code === 'ENOENT' || error.code === 'ENOTDIR') resolve(undefined);
      else reject(error);
    });
  });
}

/** Size and time of change: what SMB, NFS and FUSE agree on. Inode numbers are not stable on all of them. */
export function versionOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}`;
}

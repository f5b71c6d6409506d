import type { BigIntStats } from 'node:fs';
import { join, relative } from 'node:path';
import { DepotError } from '../errors.ts';
import { errorCode } from '../system-error.ts';
import { uniqueName } from '../unique-name.ts';
import { type Calls, WAITING } from './calls.ts';
import { type AsMade, applyModes, type Modes, makeFolder, modesOf } from './modes.ts';

/** One open folder backend: where it is, and what is remembered about it while the process lives. */
export interface Place {
  readonly root: string;
  /** The location as the user wrote it. */
  readonly location: string;
  /** Relative to the root; '' for the root itself. */
  readonly anchor: string;
  readonly temp: string;
  readonly platform: NodeJS.Platform;
  /** False where nothing need survive a loss of power: what is then damaged is found out by who reads it. */
  readonly durable: boolean;
  /** How the store's names are touched; see calls.ts. */
  calls: Calls;
  /** Read from the root once; see `modes()`, `asMade()` and `openUncached()`. And when it last answered: see `looking()`. */
  readonly memory: { modes?: { known: Modes | undefined }; asMade?: AsMade; uncached?: boolean; answered?: number };
  /** Set once a hard link, a clone or a folder's fsync was refused here: it is not tried again. */
  readonly lacks: Set<'links' | 'clones' | 'folder-fsync'>;
  /** For what need not succeed; else `calls`. */
  readonly hasty?: Calls;
  /** Calls that were refused in a way for which patience did not help. */
  readonly hopeless: Set<keyof Calls>;
}

/** The native path of `path`, which is relative to the root. */
export function inside(place: Place, path: string): string {
  return join(place.root, path);
}

export async function modes({ memory, calls, root, platform }: Place): Promise<Modes | undefined> {
  memory.modes ??= { known: await modesOf(calls, root, platform) };
  return memory.modes.known;
}

/** What is known of the modes that files and folders have here as they are made. */
export function asMade({ memory }: Place): AsMade {
  memory.asMade ??= { files: false, folders: false };
  return memory.asMade;
}

/** The calls that are waited for on every disk: a first touch, which must not hang the event loop. */
export function waiting({ calls }: Place): Calls {
  return calls.direct ? WAITING : calls;
}

/** Milliseconds for which a disk that answered is taken to be awake. */
const AWAKE = 500;

/**
 * As `waiting`, for what hangs only if the disk does: that need not be waited for on one that answered just now. To hand one
 * call to another thread takes longer than all others of a small object.
 */
export function looking(place: Place): Calls {
  const { answered } = place.memory;
  const isAwake = answered !== undefined && performance.now() - answered < AWAKE;
  return isAwake ? place.calls : waiting(place);
}

/** Says that the disk answered: see `looking()`. */
export function answered({ memory }: Place): void {
  memory.answered = performance.now();
}

/** What a temp file is for, for whoever finds one. */
export type Purpose = 'put' | 'write' | 'aside' | 'folder' | 'sweep';

/** Where a file is moved while it is replaced: the name tells where it belongs, should the mover die. */
export function asideName(place: Place, final: string): string {
  return `${tempName(place, 'aside')}@${encodeURIComponent(relative(place.root, final).replaceAll('\\', '/'))}`;
}

/**
 * The path that a name of `asideName` belongs to; undefined for other names, and for one that leads out of the storage:
 * whoever may write there could have made it up.
 */
export function belongingOf(name: string): string | undefined {
  const [, encoded = ''] = /^depot-aside-[0-9a-f]+@(.+)$/.exec(name) ?? [];
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
  const isPlain =
    !/[\\:\0]/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return isPlain ? path : undefined;
}

/** A name in the temp folder, a `TEMP_NAME`, that nobody else uses on any machine. */
export function tempName(place: Place, purpose: Purpose): string {
  return join(place.root, place.temp, `depot-${purpose}-${uniqueName()}`);
}

/**
 * A new, empty temp file, open for writing. A missing temp folder is made again, but only where the anchor stands:
 * under the mount point of an absent share nothing is ever created.
 */
export async function openTemp(place: Place, purpose: Purpose, what: string): Promise<{ fd: number; file: string }> {
  const { calls } = place;
  const file = tempName(place, purpose);
  let fd: number;
  try {
    fd = await calls.open(file, 'wx+');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await assertMounted(place, what);
    await makeTempFolder(place);
    fd = await calls.open(file, 'wx+');
  }
  try {
    await applyModes(calls, fd, await modes(place), asMade(place));
  } catch (error) {
    await calls.close(fd);
    await leaveToSweep(place, file);
    throw error;
  }
  return { fd, file };
}

export async function makeTempFolder(place: Place): Promise<void> {
  const parts = place.temp.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    try {
      await makeFolder(place.calls, inside(place, parts.slice(0, depth).join('/')), await modes(place));
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** @throws DepotError `no-store` unless the anchor stands; whatever the system says when it cannot be asked. */
export async function assertMounted(place: Place, what: string): Promise<void> {
  if (await place.calls.stat(inside(place, place.anchor))) return;
  const isFolder = (await place.calls.stat(place.root))?.isDirectory() === true;
  throw new DepotError('no-store', {
    what,
    why: `not mounted, or not a store yet: ${isFolder ? `there is no ${place.anchor} in ${place.location}` : `${place.location} does not exist`}`,
    cure: 'mount the disk or share that holds it, then try again',
  });
}

/** The stats of a regular file; undefined when nothing, or something else, is there. */
export async function fileStat(calls: Calls, path: string): Promise<BigIntStats | undefined> {
  const stats = await calls.stat(path);
  return stats?.isFile() ? stats : undefined;
}

/** Size and time of change: what SMB, NFS and FUSE agree on. Inode numbers are not stable on all of them. */
export function versionOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}`;
}

/** False when there was nothing to remove. */
export async function removeIfThere(place: Place, path: string): Promise<boolean> {
  try {
    await place.calls.unlink(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Removes a temp file that has done its work. When that fails (a virus scanner holds it open) it must not turn a stored
 * object into an error, nor hide the error that is on its way: a later sweep takes it.
 */
export async function leaveToSweep(place: Place, file: string): Promise<void> {
  try {
    await (place.hasty ?? place.calls).unlink(file);
  } catch {
    // See above.
  }
}

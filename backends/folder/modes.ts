import { chmodSync, chownSync, fchmodSync, fchownSync, fstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../system-error.ts';

/**
 * Group and mode of everything in a store come from its root, whatever the umask of the writer: otherwise the first
 * colleague who pushes makes folders that nobody else of the group can write to.
 */
export interface Modes {
  folder: number;
  file: number;
  gid: number;
}

const PERMISSIONS = 0o7777;
const NOT_POSSIBLE = new Set<string | undefined>(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/** The modes for a store with this root; undefined where files have none (Windows). */
export function modesOf(root: string, platform: NodeJS.Platform): Modes | undefined {
  if (platform === 'win32') return undefined;
  const stats = statSync(root);
  return { folder: stats.mode & PERMISSIONS, file: stats.mode & 0o666, gid: stats.gid };
}

/**
 * Makes one folder and gives it the modes. Not atomic: for a moment it has the umask's mode, see publish.ts.
 * @throws Node's error, `EEXIST` included.
 */
export function makeFolder(path: string, modes: Modes | undefined): void {
  mkdirSync(path, modes && { mode: modes.folder });
  if (!modes) return;
  const made = statSync(path);
  if (made.gid !== modes.gid) attempt(() => chownSync(path, -1, modes.gid));
  if ((made.mode & PERMISSIONS) !== modes.folder) attempt(() => chmodSync(path, modes.folder));
}

/** Gives an open file the modes. */
export function applyModes(fd: number, modes: Modes | undefined): void {
  if (!modes) return;
  const made = fstatSync(fd);
  if (made.gid !== modes.gid) attempt(() => fchownSync(fd, -1, modes.gid));
  if ((made.mode & PERMISSIONS) !== modes.file) attempt(() => fchmodSync(fd, modes.file));
}

/**
 * Makes the root of a new store. Its parent must exist: making that too would fill the disk under a mount point whose
 * share is not mounted. In a folder that belongs to a group (set-group-ID, or writable for the group and not for all)
 * the root is made like that folder, so that the group can use the store.
 */
export function makeRoot(root: string, platform: NodeJS.Platform): void {
  let parent: Stats | undefined;
  try {
    mkdirSync(root);
    parent = platform === 'win32' ? undefined : statSync(dirname(root));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    if (statSync(root).isDirectory()) return;
    throw Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR' });
  }
  if (!parent) return;
  const { gid, mode } = parent;
  const ofGroup = (mode & 0o2000) !== 0 || ((mode & 0o020) !== 0 && (mode & 0o002) === 0);
  if (!ofGroup) return;
  attempt(() => chownSync(root, -1, gid));
  attempt(() => chmodSync(root, mode & PERMISSIONS & ~0o1000));
}

/** Somebody who is not in the group, or a filesystem without modes: the object is still right, so it is kept. */
function attempt(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!NOT_POSSIBLE.has(errorCode(error))) throw error;
  }
}

import { dirname } from 'node:path';
import { errorCode } from '../system-error.ts';
import type { Calls } from './calls.ts';

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

/** Whether what this process makes in one store was seen to have the right modes at once: then it is not looked at again. */
export interface AsMade {
  files: boolean;
  folders: boolean;
}

/** The modes for a store with this root; undefined where files have none (Windows). @throws Node's ENOENT. */
export async function modesOf(calls: Calls, root: string, platform: NodeJS.Platform): Promise<Modes | undefined> {
  if (platform === 'win32') return undefined;
  const stats = await calls.stat(root);
  if (!stats) throw Object.assign(new Error(`ENOENT: no such file or directory, stat '${root}'`), { code: 'ENOENT' });
  const mode = Number(stats.mode);
  return { folder: mode & PERMISSIONS, file: mode & 0o666, gid: Number(stats.gid) };
}

/**
 * Makes one folder and gives it the modes. Not atomic: for a moment it has the umask's mode, see publish.ts.
 * @throws Node's error, `EEXIST` included.
 */
export async function makeFolder(calls: Calls, path: string, modes: Modes | undefined, asMade?: AsMade): Promise<void> {
  await calls.mkdir(path, modes?.folder);
  if (!modes) return;
  const made = await calls.stat(path);
  if (!made) return;
  const hasGroup = Number(made.gid) === modes.gid;
  const hasMode = (Number(made.mode) & PERMISSIONS) === modes.folder;
  // Not with a set-group-ID bit, which depends on the folder around it.
  if (asMade && hasGroup && hasMode && modes.folder < 0o1000) asMade.folders = true;
  if (!hasGroup) await attempt(() => calls.chown(path, -1, modes.gid));
  if (!hasMode) await attempt(() => calls.chmod(path, modes.folder));
}

/** Gives an open file the modes. */
export async function applyModes(calls: Calls, fd: number, modes: Modes | undefined, asMade?: AsMade): Promise<void> {
  if (!modes || asMade?.files) return;
  const made = await calls.fstat(fd);
  const hasGroup = made.gid === modes.gid;
  const hasMode = (made.mode & PERMISSIONS) === modes.file;
  if (asMade && hasGroup && hasMode) asMade.files = true;
  if (!hasGroup) await attempt(() => calls.fchown(fd, -1, modes.gid));
  if (!hasMode) await attempt(() => calls.fchmod(fd, modes.file));
}

/**
 * Makes the root of a new store. Its parent must exist: making that too would fill the disk under a mount point whose
 * share is not mounted. In a folder that belongs to a group (set-group-ID, or writable for the group and not for all)
 * the root is made like that folder, so that the group can use the store.
 */
export async function makeRoot(calls: Calls, root: string, platform: NodeJS.Platform): Promise<void> {
  try {
    await calls.mkdir(root, undefined);
  } catch (error) {
    // The top of a share or a drive is there, and Windows says "denied" or "exists" as it likes.
    const standing = errorCode(error) === 'ENOENT' ? undefined : await calls.stat(root);
    if (standing?.isDirectory()) return;
    throw standing ? Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR' }) : error;
  }
  const parent = platform === 'win32' ? undefined : await calls.stat(dirname(root));
  if (!parent) return;
  const mode = Number(parent.mode);
  const ofGroup = (mode & 0o2000) !== 0 || ((mode & 0o020) !== 0 && (mode & 0o002) === 0);
  if (!ofGroup) return;
  await attempt(() => calls.chown(root, -1, Number(parent.gid)));
  await attempt(() => calls.chmod(root, mode & PERMISSIONS & ~0o1000));
}

const NOT_POSSIBLE = new Set<string | undefined>(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/** Somebody who is not in the group, or a filesystem without modes: the object is still right, so it is kept. */
async function attempt(change: () => void | Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!NOT_POSSIBLE.has(errorCode(error))) throw error;
  }
}

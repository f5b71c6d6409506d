import { mkdir, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { type Backend, TEMP_NAME } from '../../backends/backend.ts';
import { DepotError, isKind } from '../../backends/errors.ts';
import { errorCode } from '../../backends/system-error.ts';
import { SYSTEM_FOLDERS } from '../../backends/system-folders.ts';

/**
 * What marks the folder as a cache: for us, before anything in it is removed, and for programs that make backups, which by
 * this name and first line leave it out (https://bford.info/cachedir/).
 */
export const TAG = 'CACHEDIR.TAG';
const SIGNATURE = 'Signature: 8a477f597d28d172789f06886806bc55';
const TEXT = `${SIGNATURE}
# This is the cache of lfs-depot (depot.cache): copies of Git LFS objects that are kept elsewhere.
# It may be removed at any time, as a whole or in part.
`;

/**
 * Whether a cache stands there. Only what has our tag is used: a store, too, has objects in this layout, and must not have
 * its oldest removed.
 * @throws DepotError `configuration` when it is something else.
 */
export async function isCacheFolder(backend: Backend, root: string): Promise<boolean> {
  const tag = await readTag(backend);
  if (tag?.startsWith(SIGNATURE) && tag.includes('lfs-depot')) return true;
  if (tag !== undefined) throw refused(root, `the ${TAG} in it is another program's`);
  if (await isFree(root)) return false;
  // Somebody may have made the cache, and filled it, since the first look.
  if ((await readTag(backend))?.startsWith(SIGNATURE)) return true;
  throw refused(root, `there are files in it, and no ${TAG} says that they are a cache`);
}

/**
 * Makes the folder a cache; fine when it is one already.
 * @throws DepotError `configuration` when it is something else, `no-store` when its parent does not exist.
 */
export async function makeCacheFolder(backend: Backend, root: string): Promise<void> {
  const isMade = await isCacheFolder(backend, root);
  // In one's home, where ~/.cache may not exist yet. Elsewhere it could be a disk that is not mounted.
  if (!isMade && root.startsWith(homedir() + sep)) await mkdir(dirname(root), { recursive: true, mode: 0o700 });
  await backend.create();
  if (!isMade) await backend.write(TAG, Buffer.from(TEXT));
}

async function readTag(backend: Backend): Promise<string | undefined> {
  try {
    // A pipe of that name, to be opened, would hang us for ever.
    return (await backend.stat(TAG)) && (await backend.read(TAG))?.toString();
  } catch (error) {
    // The tag is the backend's anchor: without it, there is no storage.
    if (isKind(error, 'no-store')) return undefined;
    throw error;
  }
}

/** Nothing is there, or no more than what somebody has made who is just making a cache of it. */
async function isFree(root: string): Promise<boolean> {
  const names = (await namesIn(root)).filter((name) => name !== 'tmp' && !SYSTEM_FOLDERS.has(name));
  return names.length === 0 && (await namesIn(join(root, 'tmp'))).every((name) => TEMP_NAME.test(name));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function refused(root: string, why: string): DepotError {
  const cure = 'choose a new or empty folder: git config --global depot.cache <folder>';
  return new DepotError('configuration', { what: `cannot use ${root} as a cache`, why, cure });
}

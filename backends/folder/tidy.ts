import { type Dirent, lstat as lstatWith, readdir as readdirWith, rm as rmWith } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Entry, TEMP_NAME } from '../backend.ts';
import { errorCode } from '../system-error.ts';
import { SYSTEM_FOLDERS } from '../system-folders.ts';
import {
  assertMounted,
  belongingOf,
  fileStat,
  inside,
  leaveToSweep,
  openTemp,
  type Place,
  removeIfThere,
  versionOf,
} from './place.ts';
import { putBack } from './publish.ts';

// Not of fs/promises, which takes 1 to 2 ms to load (measured): the first object waits for a sweep.
const lstat = promisify(lstatWith);
const readdir = promisify(readdirWith);
const rm = promisify(rmWith);

/** Every file below `prefix`, folder by folder, so that memory does not grow with the store. Temp files are left out. */
export async function* listFiles(
  place: Place,
  prefix: string,
  signal: AbortSignal | undefined,
  what: string,
): AsyncGenerator<Entry> {
  for (const child of await children(place, prefix, what)) {
    signal?.throwIfAborted();
    const path = prefix === '' ? child.name : `${prefix}/${child.name}`;
    if (path === place.temp || SYSTEM_FOLDERS.has(path)) continue;
    if (child.isDirectory()) {
      yield* listFiles(place, path, signal, what);
    } else {
      const stats = await fileStat(place.calls, inside(place, path));
      if (stats) yield { path, size: Number(stats.size), version: versionOf(stats) };
    }
  }
}

async function children(place: Place, prefix: string, what: string): Promise<Dirent[]> {
  try {
    return await readdir(inside(place, prefix), { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    // Gone by itself, or with the whole share? A list that ends early must not look complete.
    await assertMounted(place, what);
    return [];
  }
}

/** Removes a file; the folder that held it too, if that was a temporary one and is now empty. */
export async function removeFile(place: Place, path: string, what: string): Promise<void> {
  if (!(await removeIfThere(place, inside(place, path)))) await assertMounted(place, what);
  const folder = dirname(path);
  if (!folder.startsWith(`${place.temp}/`)) return;
  try {
    await place.calls.rmdir(inside(place, folder));
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error;
  }
}

/**
 * Removes what dead writers left in the temp folder, by name: somebody may keep a `tmp` of their own where a store was
 * made, and nothing that is not ours is ever removed. Ages are measured against a file made just now, because the clock
 * of a file server and of its clients may be hours apart. Returns how many were removed.
 */
export async function sweepTemp(place: Place, olderThan: number, what: string): Promise<number> {
  const names = await ourTempFiles(place, what);
  if (names.length === 0) return 0;
  const { fd, file } = await openTemp(place, 'sweep', what);
  await place.calls.close(fd);
  let removed = 0;
  try {
    const now = (await lstat(file)).mtimeMs;
    for (const name of names) {
      const path = inside(place, `${place.temp}/${name}`);
      const stats = await lstat(path).catch(() => undefined);
      if (!stats || now - stats.mtimeMs <= olderThan) continue;
      const belonging = belongingOf(name);
      if (belonging !== undefined && !(await putBack(place, path, inside(place, belonging)))) continue;
      await rm(path, { recursive: true, force: true });
      removed++;
    }
  } finally {
    await leaveToSweep(place, file);
  }
  return removed;
}

async function ourTempFiles(place: Place, what: string): Promise<string[]> {
  try {
    return (await readdir(inside(place, place.temp))).filter((name) => TEMP_NAME.test(name));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await assertMounted(place, what);
    return [];
  }
}

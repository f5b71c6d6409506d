import { closeSync, type Dirent, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Entry } from '../backend.ts';
import { errorCode } from '../system-error.ts';
import { assertMounted, fileStat, inside, openTemp, type Place, versionOf } from './place.ts';
import { removeIfThere } from './publish.ts';

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
      const stats = fileStat(inside(place, path));
      if (stats) yield { path, size: Number(stats.size), version: versionOf(stats) };
    }
  }
}

/** What filesystems keep at the top of a disk, and let nobody read: a store may stand there all the same. */
const SYSTEM_FOLDERS = new Set(['lost+found', 'System Volume Information', '$RECYCLE.BIN', '.Trashes', '.snapshot']);

async function children(place: Place, prefix: string, what: string): Promise<Dirent[]> {
  try {
    return await readdir(inside(place, prefix), { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    // Gone by itself, or with the whole share? A list that ends early must not look complete.
    assertMounted(place, what);
    return [];
  }
}

/** Removes a file; the folder that held it too, if that was a temporary one and is now empty. */
export function removeFile(place: Place, path: string, what: string): void {
  if (!removeIfThere(inside(place, path))) assertMounted(place, what);
  const folder = dirname(path);
  if (!folder.startsWith(`${place.temp}/`)) return;
  try {
    rmdirSync(inside(place, folder));
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error;
  }
}

/**
 * Removes what dead writers left in the temp folder. Ages are measured against a file made just now, because the clock
 * of a file server and of its clients may be hours apart. Returns how many were removed.
 */
export function sweepTemp(place: Place, olderThan: number, what: string): number {
  const names = readTempFolder(place, what);
  if (names.length === 0) return 0;
  const { fd, file } = openTemp(place, 'sweep', what);
  closeSync(fd);
  let removed = 0;
  try {
    const now = lstatSync(file).mtimeMs;
    for (const name of names) {
      const path = inside(place, `${place.temp}/${name}`);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (!stats || now - stats.mtimeMs <= olderThan) continue;
      rmSync(path, { recursive: true, force: true });
      removed++;
    }
  } finally {
    removeIfThere(file);
  }
  return removed;
}

function readTempFolder(place: Place, what: string): string[] {
  try {
    return readdirSync(inside(place, place.temp));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    assertMounted(place, what);
    return [];
  }
}

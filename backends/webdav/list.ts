import { type Entry, TEMP_NAME } from '../backend.ts';
import { throwIfCancelled } from '../errors.ts';
import { SYSTEM_FOLDERS } from '../system-folders.ts';
import { versionOf } from './look.ts';
import { assertMounted, type Place } from './place.ts';
import { propfind } from './propfind.ts';

/**
 * All files below a folder, folder by folder: several servers refuse a PROPFIND of infinite depth, and the answer of those
 * that do not would not fit into memory.
 */
export async function* listFiles(
  place: Place,
  prefix: string,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Entry> {
  const folders = [prefix];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    throwIfCancelled(signal, what);
    const found = await propfind(place, place.paths.folder(folder), '1', what, signal);
    // Gone under the list; or all of it is.
    if (!found) await assertMounted(place, what, signal);
    for (const resource of found?.resources ?? []) {
      const { path, isFolder, size } = resource;
      if (path === folder || path === place.temp) continue;
      if (folder === '' && SYSTEM_FOLDERS.has(path)) continue;
      // Where MOVE copies, temp files lie beside the others.
      if (place.moves === 'copies' && TEMP_NAME.test(path.slice(path.lastIndexOf('/') + 1))) continue;
      if (isFolder) folders.push(path);
      else {
        yield { path, size, version: versionOf(resource) };
        throwIfCancelled(signal, what);
      }
    }
  }
}

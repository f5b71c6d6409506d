import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fromSystemError } from '../backends/system-error.ts';
import type { Transfer } from './session.ts';
import type { Store } from './store.ts';

/** Moves one object between git-lfs's own files and a store. */
export function transferWith(store: Store, tempFolder: string): Transfer {
  return async (request, options) => {
    if (request.event === 'upload') {
      await store.put(request.oid, request.size, request.path, options);
      return undefined;
    }
    const file = newDownload(tempFolder, request.oid);
    try {
      await store.get(request.oid, request.size, file, options);
      return file;
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
  };
}

/**
 * A private name for a download. git-lfs *renames* the file it is given into its own objects folder, so the name lies
 * on that filesystem, in the folder where git-lfs removes what is older than an hour. Not `<oid>-…`: git-lfs removes
 * files of that form as soon as it has the object, another process's too (its fs/cleanup.go).
 */
function newDownload(tempFolder: string, oid: string): string {
  try {
    mkdirSync(tempFolder, { recursive: true });
  } catch (error) {
    throw fromSystemError(error, `cannot make ${tempFolder}`);
  }
  return join(tempFolder, `depot-${oid.slice(0, 16)}-${randomBytes(8).toString('hex')}`);
}

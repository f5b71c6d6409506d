import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Transfer } from './session.ts';
import type { Objects } from './store.ts';
import { newDownload, partsOf, versionOf } from './transfer-files.ts';

/** Moves one object between git-lfs's own files and wherever objects are kept. */
export function transferWith(objects: Objects, tempFolder: string): Transfer {
  return async (request, options) => {
    if (request.event === 'upload') {
      await objects.put(request.oid, request.size, request.path, options);
      return undefined;
    }
    const file = newDownload(tempFolder, request.oid);
    const resume = objects.resumes;
    const partial = join(tempFolder, `depot-partial-${request.oid}`);
    if (resume) moveBoth(partial, file);
    try {
      await objects.get(request.oid, request.size, file, { ...options, resume });
      return file;
    } catch (error) {
      // The next run goes on where this one stopped.
      if (resume) moveBoth(file, partial);
      throw error;
    } finally {
      if (resume) rmSync(versionOf(file), { force: true });
    }
  };
}

/**
 * Gives a download that broke off, and its version beside it, another name: one of several processes gets it, since a
 * rename succeeds once. What is there only by half is removed.
 */
function moveBoth(from: string, to: string): void {
  try {
    renameSync(from, to);
    renameSync(versionOf(from), versionOf(to));
  } catch {
    for (const path of [...partsOf(from), to]) rmSync(path, { force: true });
  }
}

import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isCiJob } from './ci-job.ts';
import type { Transfer } from './session.ts';
import type { Objects } from './store.ts';
import { leftDownloads, newDownload, partsOf, versionOf } from './transfer-files.ts';

/**
 * Moves one object between git-lfs's own files and wherever objects are kept.
 *
 * git-lfs hashes each download, and to do so here, too, costs time and tells nothing, but for what it refused: that stays where it
 * was put, and whoever asks for that object again, as `git clone` does at once, is told in our words what is wrong with it, and
 * what to do. A CI job does not ask again. What was begun by an earlier run can be fetched once more from its start only here.
 */
export function transferWith(objects: Objects, tempFolder: string): Transfer {
  /** Known from the start: git-lfs ends its workers before it asks again. */
  let refused: { has(oid: string): boolean } | undefined;
  return async (request, options) => {
    if (request.event === 'upload') {
      await objects.put(request.oid, request.size, request.path, options);
      return undefined;
    }
    const file = newDownload(tempFolder, request.oid);
    const resume = objects.resumes;
    const partial = join(tempFolder, `depot-partial-${request.oid}`);
    refused ??= leftDownloads(tempFolder);
    const began = resume && moveBoth(partial, file);
    const unhashed = !began && !refused.has(request.oid) && !isCiJob();
    const { signal, onProgress } = options;
    try {
      await objects.get(request.oid, request.size, file, { signal, onProgress, resume, unhashed });
      if (unhashed) options.onUnhashed({ oid: request.oid, path: file, location: objects.location });
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
 * rename succeeds once. What is there only by half is removed. To whether there was one.
 */
function moveBoth(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    renameSync(versionOf(from), versionOf(to));
    return true;
  } catch {
    for (const path of [...partsOf(from), to]) rmSync(path, { force: true });
    return false;
  }
}

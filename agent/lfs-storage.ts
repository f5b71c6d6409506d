import { isAbsolute, join } from 'node:path';
import type { Config } from './config.ts';
import type { Repository } from './git.ts';

/** git-lfs's own objects in a repository: what a checkout takes files from, and what `git lfs prune` deletes from. */
export function objectsFolderOf(repository: Repository, config: Config): string {
  return join(storageOf(repository, config), 'objects');
}

/** git-lfs's own temp folder, on the filesystem of its objects. */
export function tempFolderOf(repository: Repository, config: Config): string {
  return join(storageOf(repository, config), 'tmp');
}

/** `lfs.storage`, relative to the git folder, where that is set. */
function storageOf(repository: Repository, config: Config): string {
  const storage = config.get('lfs.storage')?.value ?? 'lfs';
  return isAbsolute(storage) ? storage : join(repository.commonDir, storage);
}

import { isAbsolute, join } from 'node:path';
import type { Config } from './config.ts';
import type { Repository } from './git.ts';

/** git-lfs's own folder, of `objects` and `tmp`: `lfs.storage` (relative to the git folder) where that is set. */
export function lfsStorage(repository: Repository, config: Config): string {
  const storage = config.get('lfs.storage')?.value ?? 'lfs';
  return isAbsolute(storage) ? storage : join(repository.commonDir, storage);
}

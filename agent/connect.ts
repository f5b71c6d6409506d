import { isAbsolute, join } from 'node:path';
import { type Config, readConfig } from './config.ts';
import { findEndpoint, LOCATION_VARIABLE } from './endpoint.ts';
import { findRepository, type Repository } from './git.ts';
import { locate, openEndpoint } from './open-store.ts';
import type { Operation } from './protocol.ts';
import type { Store } from './store.ts';

export interface Connection {
  store: Store;
  /** Where downloads are put for git-lfs: on the filesystem of its objects. */
  tempFolder: string;
}

/** From what git-lfs says at init to an open store: settings → endpoint → trust → marker. Writes nothing. */
export async function connect(init: { operation: Operation; remote: string }, argument?: string): Promise<Connection> {
  const cwd = process.cwd();
  const finding = findRepository(cwd);
  const config = await readConfig(cwd, finding);
  const environment = process.env[LOCATION_VARIABLE];
  const endpoint = findEndpoint({ ...init, config, argument, environment });
  const location = locate(endpoint, config, (await finding).worktree ?? cwd);
  const { store } = await openEndpoint(endpoint.kind, location, config);
  return { store, tempFolder: tempFolderOf(await finding, config) };
}

/** git-lfs's own temp folder: below `lfs.storage` (relative to the git folder) where that is set. */
function tempFolderOf(repository: Repository, config: Config): string {
  const storage = config.get('lfs.storage')?.value ?? 'lfs';
  return join(isAbsolute(storage) ? storage : join(repository.commonDir, storage), 'tmp');
}

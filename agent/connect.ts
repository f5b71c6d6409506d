import { existsSync } from 'node:fs';
import { type Config, readConfig } from './config.ts';
import { type Endpoint, findEndpoint, LOCATION_VARIABLE } from './endpoint.ts';
import { findRepository } from './git.ts';
import { tempFolderOf } from './lfs-storage.ts';
import { locate, openEndpoint } from './open-store.ts';
import type { Operation } from './protocol.ts';
import { spoolsFolder } from './spool/folder.ts';
import type { Objects } from './store.ts';

export interface Connection {
  objects: Objects;
  /** Where downloads are put for git-lfs: on the filesystem of its objects. */
  tempFolder: string;
}

/**
 * From what git-lfs says at init to where its objects are: settings → endpoint → trust → marker. Writes nothing. A store that
 * is the only place is open then; with others beside it, each is opened when it is needed.
 */
export async function connect(init: { operation: Operation; remote: string }, argument?: string): Promise<Connection> {
  const cwd = process.cwd();
  const finding = findRepository(cwd);
  const config = await readConfig(cwd, finding);
  const environment = process.env[LOCATION_VARIABLE];
  const endpoint = findEndpoint({ ...init, config, argument, environment });
  const repository = await finding;
  const base = repository.worktree ?? cwd;
  const tempFolder = tempFolderOf(repository, config);
  if (isOnlyPlace(config, repository.commonDir)) {
    return { objects: await openOnly(endpoint, config, base), tempFolder };
  }
  const { objectsOf } = await import('./places/objects.ts');
  return {
    objects: await objectsOf(endpoint, config, {
      operation: init.operation,
      base,
      commonDir: repository.commonDir,
      tempFolder,
    }),
    tempFolder,
  };
}

async function openOnly(endpoint: Endpoint, config: Config, base: string): Promise<Objects> {
  const location = locate(endpoint, config, base);
  return (await openEndpoint(endpoint.kind, location, config)).store;
}

/** Settings by which there is more than one store to look at. */
const MORE = ['depot.mirror', 'depot.quorum', 'depot.offline', 'depot.cache'];

function isOnlyPlace(config: Config, commonDir: string): boolean {
  return !MORE.some((key) => config.get(key)) && !existsSync(spoolsFolder(commonDir));
}

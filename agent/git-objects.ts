import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DepotError } from '../backends/errors.ts';
import { formatLocation, type Location } from '../backends/location.ts';
import { openBackend } from '../backends/open.ts';
import { type Config, verifyPolicy } from './config.ts';
import { runGit } from './git.ts';
import { type Store, storeOver } from './store.ts';

/**
 * The objects of a remote that is itself a folder: they lie in its `<gitdir>/lfs/objects`, where git-lfs keeps them too.
 * There is no marker; what says "this is mounted" is the repository's own HEAD.
 * @throws DepotError `no-store` when there is no repository.
 */
export async function openGitObjects(remote: Location, config: Config): Promise<Store> {
  const name = formatLocation(remote);
  const gitDir = await gitDirAt(name);
  const location: Location = remote.kind === 'folder' ? { kind: 'folder', path: gitDir } : remote;
  const backend = openBackend(location, { platform: process.platform, anchor: 'HEAD', temp: 'lfs/tmp' });
  return storeOver(backend, { objects: 'lfs/objects', verify: verifyPolicy(config, backend.capabilities.reads) });
}

/** git looks for `path`, then `path.git`; of a worktree, its common git folder. */
async function gitDirAt(path: string): Promise<string> {
  let words = 'not mounted, or not a git repository';
  for (const candidate of [path, `${path}.git`]) {
    if (!statSync(candidate, { throwIfNoEntry: false })?.isDirectory()) continue;
    const gitFolder = join(candidate, '.git');
    const cwd = candidate.endsWith('.git') && !existsSync(join(candidate, 'HEAD')) ? join(candidate, '..') : candidate;
    const { status, stdout, stderr } = await runGit(['rev-parse', '--git-common-dir'], { cwd, env: withoutGit() });
    if (status !== 0) words = stderr.trim() || words;
    if (status === 0) return resolve(cwd, stdout.trim()).replaceAll('\\', '/');
    if (existsSync(join(gitFolder, 'HEAD'))) return gitFolder.replaceAll('\\', '/');
  }
  throw new DepotError('no-store', {
    what: `cannot use the LFS objects of ${path}`,
    why: words,
    cure: 'mount the disk or share that holds it, then try again',
  });
}

/** The environment without what points git at the repository at hand. */
function withoutGit(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('GIT_')));
}

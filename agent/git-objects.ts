import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DepotError } from '../backends/errors.ts';
import { formatLocation, type Location, parseLocation, type Surroundings } from '../backends/location.ts';
import { openBackend } from '../backends/open.ts';
import { errorCode, fromSystemError } from '../backends/system-error.ts';
import { answering } from './answering.ts';
import type { Config } from './config.ts';
import { runGit } from './git.ts';
import { folderHere } from './mounts.ts';
import { retriesFrom } from './retry-settings.ts';
import { type Store, storeOver } from './store.ts';
import { verifyPolicy } from './verify-policy.ts';

/**
 * The objects of a remote that is itself a folder: they lie in its `<gitdir>/lfs/objects`, where git-lfs keeps them too.
 * There is no marker; what says "this is mounted" is the repository's own HEAD.
 * @throws DepotError `no-store` when there is no repository.
 */
export async function openGitObjects(remote: Location, config: Config, around: Surroundings): Promise<Store> {
  if (remote.kind === 'webdav') throw new Error('a remote on the web was taken for a folder');
  const { platform } = around;
  const folder = await folderHere(remote, config, around);
  const found = await answering(formatLocation(remote), (signal) => gitDirAt(folder, signal));
  const gitDir = parseLocation(platform === 'win32' ? found.replaceAll('\\', '/') : found, around);
  const backend = await openBackend(gitDir, {
    platform,
    anchor: 'HEAD',
    temp: 'lfs/tmp',
    retries: retriesFrom(config),
  });
  return storeOver(backend, { objects: 'lfs/objects', verify: verifyPolicy(config, backend.capabilities.reads) });
}

/**
 * The common git folder of the repository at `path`, which git lets people write without its `.git`; and of no other: not
 * of one that the folder happens to lie in.
 */
async function gitDirAt(path: string, signal: AbortSignal): Promise<string> {
  const folder = path.endsWith('/.git') ? path.slice(0, -'/.git'.length) : path;
  let words = 'not mounted, or not a git repository';
  for (const place of [folder, `${folder}.git`]) {
    if (!(await isFolder(place))) continue;
    const env = { ...withoutGit(), GIT_CEILING_DIRECTORIES: dirname(place) };
    // Not started there: on a share, cmd (where `git` is a script of a package manager) and Wine would start elsewhere.
    const args = ['-C', place, 'rev-parse', '--git-common-dir'];
    const { status, stdout, stderr } = await runGit(args, { cwd: process.cwd(), env, signal });
    if (status === 0) return resolve(place, stdout.replace(/\r?\n$/, ''));
    words = stderr.trim() || words;
  }
  throw new DepotError('no-store', {
    what: `cannot use the LFS objects of ${path}`,
    why: words,
    cure: 'mount the disk or share that holds it, or mend what git complains about, then try again',
  });
}

/** Waited for: on a share that hangs, a direct call would keep the agent from ending. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw fromSystemError(error, `cannot use the LFS objects of ${path}`, 'read');
  }
}

/** The environment without what points git at the repository at hand. */
function withoutGit(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('GIT_')));
}

import { execFile } from 'node:child_process';
import { isAbsolute, resolve } from 'node:path';
import { DepotError } from '../backends/errors.ts';

/** Every call of the git program goes through here. */
export interface GitResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface GitOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
}

/**
 * Runs git and resolves whatever its exit status is.
 * @throws DepotError `configuration` when there is no git.
 */
export function runGit(args: string[], options: GitOptions): Promise<GitResult> {
  return new Promise((resolvePromise, reject) => {
    // The process's own folder is not named: a name that is not UTF-8 would be another one.
    const cwd = options.cwd === process.cwd() ? undefined : options.cwd;
    const settings = { ...options, cwd, encoding: 'utf8' as const, maxBuffer: 64 * 1024 * 1024, windowsHide: true };
    execFile('git', args, settings, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        const why = error.code === 'ENOENT' ? 'there is no git program on the PATH' : error.message;
        const cure = 'install git, and start git-lfs or lfs-depot from where `git --version` works';
        reject(new DepotError('configuration', { what: 'cannot run git', why, cure, cause: error }));
      } else {
        resolvePromise({ status: Number(error?.code ?? 0), stdout, stderr });
      }
    });
  });
}

/**
 * Runs git and resolves to what it printed.
 * @throws DepotError `configuration` with git's own words when it fails.
 */
export async function git(args: string[], options: GitOptions): Promise<string> {
  const { status, stdout, stderr } = await runGit(args, options);
  if (status === 0) return stdout;
  throw new DepotError('configuration', {
    what: `cannot run git ${args.join(' ')}`,
    why: stderr.trim() || `git ended with status ${status}`,
    cure: 'mend what git complains about, then try again',
  });
}

export interface Repository {
  /** The folder of the worktree; undefined in a bare repository. */
  worktree: string | undefined;
  /** The git folder; of a linked worktree, the one that it shares with the others. */
  commonDir: string;
}

/** The repository around `cwd`, as `repositoryAround` finds it. @throws DepotError `configuration` where there is none. */
export async function findRepository(cwd: string): Promise<Repository> {
  const found = await repositoryAround(cwd);
  if (found) return found;
  throw new DepotError('configuration', {
    what: `cannot find a git repository at ${cwd}`,
    why: 'not a git repository (or any of the parent directories)',
    cure: 'change into a clone of your project and try again',
  });
}

/**
 * The repository around `cwd`, as git sees it: linked worktrees, submodules, bare ones, GIT_DIR. Undefined where there is
 * none.
 * @throws DepotError `configuration` where git refuses it, like one that belongs to somebody else.
 */
export async function repositoryAround(cwd: string): Promise<Repository | undefined> {
  const flags = ['--is-bare-repository', '--is-inside-work-tree', '--git-common-dir', '--show-cdup'];
  const { status, stdout, stderr } = await runGit(['rev-parse', ...flags], {
    cwd,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status !== 0) {
    const why = stderr.trim().replace(/^fatal: /, '');
    if (why.startsWith('not a git repository')) return undefined;
    const cure = 'mend what git complains about, then try again';
    throw new DepotError('configuration', { what: `cannot use the git repository at ${cwd}`, why, cure });
  }
  const [bare, inWorktree, commonDir = '', up = ''] = stdout.split(/\r?\n/);
  return {
    worktree: bare === 'true' || inWorktree === 'false' ? undefined : absolute(cwd, up),
    commonDir: absolute(cwd, commonDir),
  };
}

function absolute(cwd: string, path: string): string {
  return isAbsolute(path) ? path : resolve(cwd, path);
}

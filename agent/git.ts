import { isAbsolute, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { DepotError } from '../backends/errors.ts';

/** Every call of the git program goes through here, or, where it prints much, through git-stream.ts. */
export interface GitResult {
  status: number;
  stdout: string;
  /** Empty when git talked to the user. */
  stderr: string;
}

export interface GitOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv | undefined;
  /** For git's stdin: what must not stand in the process list. */
  input?: string | undefined;
  /** Ends git. */
  signal?: AbortSignal | undefined;
  /** Git may ask and tell the user: its stderr is ours, and on Windows it shares our console. */
  interactive?: boolean | undefined;
}

/** What git was asked before this process asked, by its arguments: see hub/asked-before.ts. */
const known = new Map<string, string>();

/** @param stdout what git printed, in this process's folder, when it succeeded. It answers one call. */
export function answerOnce(args: readonly string[], stdout: string): void {
  known.set(args.join('\0'), stdout);
}

function takeAnswer(args: readonly string[], cwd: string): string | undefined {
  const key = args.join('\0');
  const answer = cwd === process.cwd() ? known.get(key) : undefined;
  known.delete(key);
  return answer;
}

/** Bytes that git may print. */
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Milliseconds that stderr stays open once git has ended: a daemon that one of its helpers left behind may hold it. */
const LAST_WORDS = 500;

/**
 * Runs git and resolves whatever its exit status is.
 * @throws DepotError `configuration` when there is no git.
 */
export async function runGit(args: string[], options: GitOptions): Promise<GitResult> {
  const stdout = takeAnswer(args, options.cwd);
  if (stdout !== undefined) return { status: 0, stdout, stderr: '' };
  // Loaded late: where git was asked before it is not needed.
  return startGit((await import('node:child_process')).spawn, args, options);
}

type Spawn = typeof import('node:child_process').spawn;

function startGit(spawn: Spawn, args: string[], { cwd, env, input, interactive, signal }: GitOptions) {
  return new Promise<GitResult>((resolvePromise, reject) => {
    const fail = (why: string, cure: string): void =>
      reject(new DepotError('configuration', { what: 'cannot run git', why, cure }));
    const child = spawn('git', args, {
      // The process's own folder is not named: a name that is not UTF-8 would be another one.
      cwd: cwd === process.cwd() ? undefined : cwd,
      env,
      windowsHide: true,
      ...(signal && { signal }),
      stdio: ['pipe', 'pipe', interactive ? 'inherit' : 'pipe'],
    });
    const tooMuch = (): void => {
      child.kill();
      fail(`it printed more than ${MOST_OUTPUT / 1024 / 1024} MiB`, 'look at what it says in a terminal');
    };
    const stdout = collect(child.stdout, tooMuch);
    const stderr = collect(child.stderr, tooMuch);
    // It may end without having read all of it.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    let patience: NodeJS.Timeout | undefined;
    child.on('exit', () => {
      // What is there already is read before an immediate runs.
      patience = setTimeout(() => setImmediate(() => child.stderr?.destroy()), LAST_WORDS);
    });
    child.on('error', (error) => reject(notStarted(error)));
    child.on('close', (status, signal) => {
      clearTimeout(patience);
      if (status === null) fail(`it was ended by ${signal}`, 'run the same command again');
      else resolvePromise({ status, stdout: stdout(), stderr: stderr() });
    });
  });
}

/** The error for a git that could not be started. */
export function notStarted(error: NodeJS.ErrnoException): DepotError {
  return new DepotError('configuration', {
    what: 'cannot run git',
    why: error.code === 'ENOENT' ? 'there is no git program on the PATH' : error.message,
    cure: 'install git, and start git-lfs or lfs-depot from where `git --version` works',
    cause: error,
  });
}

function collect(stream: Readable | null, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MOST_OUTPUT) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
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

/** Which repository this is. */
export const REPOSITORY: string[] = [
  'rev-parse',
  '--is-bare-repository',
  '--is-inside-work-tree',
  '--git-common-dir',
  '--show-cdup',
];

/**
 * The repository around `cwd`, as git sees it: linked worktrees, submodules, bare ones, GIT_DIR. Undefined where there is
 * none.
 * @throws DepotError `configuration` where git refuses it, like one that belongs to somebody else.
 */
export async function repositoryAround(cwd: string): Promise<Repository | undefined> {
  const { status, stdout, stderr } = await runGit(REPOSITORY, {
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

import { execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The program under test, as built for users; on Windows that for Windows, see test/windows. */
export const PROGRAM = process.env.LFS_DEPOT_UNDER_TEST ?? resolve(import.meta.dirname, '../dist/bin/lfs-depot');

export interface Result {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
}

/**
 * A computer of its own for one test: a folder with an empty HOME, the real git and git-lfs, and nothing of the
 * machine's own settings. Two of them are two people.
 */
export class Sandbox {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(parent: string = tmpdir()) {
    this.root = realpathSync(mkdtempSync(join(parent, 'depot-test-')));
    const home = join(this.root, 'home');
    mkdirSync(home);
    const { PATH } = process.env;
    this.env = {
      // Programs of Windows do not start without what its variables say; nothing of git's is among them.
      ...(process.platform === 'win32' && { ...process.env, USERPROFILE: home }),
      PATH,
      HOME: home,
      TMPDIR: tmpdir(),
      LANG: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
    };
    writeFileSync(
      join(home, '.gitconfig'),
      '[user]\n\tname = t\n\temail = t@example.com\n[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n',
    );
    execFileSync('git', ['lfs', 'install', '--skip-repo'], { cwd: home, env: this.env, stdio: 'ignore' });
  }

  /** A path inside of the sandbox. */
  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Starts a program; see `run` for one that is waited for. */
  start(command: string, args: string[], options: RunOptions & SpawnOptions = {}) {
    const { cwd = this.root, env, input: _, ...rest } = options;
    return spawn(command, args, { ...rest, cwd: resolve(this.root, cwd as string), env: { ...this.env, ...env } });
  }

  /** Runs a program to its end, whatever that is. `cwd` is relative to the sandbox. */
  run(command: string, args: string[], options: RunOptions = {}): Promise<Result> {
    const child = this.start(command, args, options);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk) => out.push(chunk));
    child.stderr?.on('data', (chunk) => err.push(chunk));
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
    return new Promise((resolvePromise, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => {
        resolvePromise({
          status,
          signal,
          stdout: Buffer.concat(out).toString(),
          stderr: Buffer.concat(err).toString(),
        });
      });
    });
  }

  /** Runs a program that must succeed, and gives its stdout. */
  async ok(command: string, args: string[], options: RunOptions = {}): Promise<string> {
    const result = await this.run(command, args, options);
    if (result.status === 0) return result.stdout;
    throw new Error(
      `${command} ${args.join(' ')} ended with ${result.status ?? result.signal}\n${result.stdout}${result.stderr}`,
    );
  }

  git(cwd: string, ...args: string[]): Promise<string> {
    return this.ok('git', args, { cwd });
  }

  depot(cwd: string, ...args: string[]): Promise<string> {
    return this.ok(PROGRAM, args, { cwd });
  }

  /** Runs a line as a person types it into a shell, with lfs-depot on the PATH. */
  sh(cwd: string, line: string): Promise<string> {
    return this.ok('sh', ['-ec', line], { cwd, env: { PATH: `${dirname(PROGRAM)}:${this.env.PATH}` } });
  }

  /** Writes a file of `size` random bytes, or the given content. */
  write(path: string, content: number | string | Buffer): string {
    const file = resolve(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'number' ? randomBytes(content) : content);
    return file;
  }

  /**
   * A bare repository `remote.git`, a clone `alice` with `*.bin` tracked, and a store at `store` in use:
   * committed, not pushed. The store's location is returned.
   */
  async team(store: string = this.path('store')): Promise<string> {
    await this.depot('.', 'install');
    await this.git('.', 'init', '-q', '--bare', 'remote.git');
    await this.git('.', 'clone', '-q', 'remote.git', 'alice');
    await this.git('alice', 'lfs', 'track', '*.bin');
    await this.depot('alice', 'init', store);
    await this.git('alice', 'add', '.lfsconfig', '.gitattributes');
    await this.git('alice', 'commit', '-qm', 'start');
    return store;
  }

  /** Adds, commits and pushes everything in a clone. */
  async push(clone: string, message = 'change'): Promise<void> {
    await this.git(clone, 'add', '.');
    await this.git(clone, 'commit', '-qm', message);
    await this.git(clone, 'push', '-q', 'origin', 'HEAD');
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** All regular files below a folder, as sorted relative paths. */
export function filesBelow(folder: string): string[] {
  const found = namesBelow(folder);
  return found.filter((path) => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile()).sort();
}

function namesBelow(folder: string): string[] {
  for (;;) {
    try {
      return readdirSync(folder, { recursive: true, encoding: 'utf8' });
    } catch (error) {
      // A folder in it has gone while it was read.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !existsSync(folder)) throw error;
    }
  }
}

import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';

/** Tests run as root in CI; only root can become somebody else. */
export const IS_ROOT = process.getuid?.() === 0;

export interface Account {
  uid: number;
  gid: number;
  /** Further groups. */
  groups?: number[];
  /** Default 022. */
  umask?: string;
}

/** Somebody else on this computer, with a home and an account of their own. Only root can make one. */
export class User {
  readonly box = new Sandbox();
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
    // Repositories of others are used, as on a shared disk.
    this.box.write(
      'home/.gitconfig',
      '[user]\n\tname = u\n\temail = u@example.com\n[init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n' +
        '[filter "lfs"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n' +
        '\tprocess = git-lfs filter-process\n\trequired = true\n',
    );
    chmodSync(this.box.root, 0o755);
    for (const path of ['', ...readdirSync(this.box.root, { recursive: true, encoding: 'utf8' })]) {
      chownSync(join(this.box.root, path), account.uid, account.gid);
    }
  }

  run(command: string, args: string[], cwd = '.'): Promise<Result> {
    return this.box.run('setpriv', this.#words(command, args), { cwd });
  }

  git(cwd: string, ...args: string[]): Promise<string> {
    return this.box.ok('setpriv', this.#words('git', args), { cwd });
  }

  depot(cwd: string, ...args: string[]): Promise<string> {
    return this.box.ok('setpriv', this.#words(PROGRAM, args), { cwd });
  }

  sh(cwd: string, line: string): Promise<string> {
    return this.box.ok('setpriv', this.#words('sh', ['-ec', line]), { cwd });
  }

  #words(command: string, args: string[]): string[] {
    const { uid, gid, groups, umask = '022' } = this.#account;
    const set = groups ? `--groups=${groups.join(',')}` : '--clear-groups';
    return [`--reuid=${uid}`, `--regid=${gid}`, set, 'sh', '-c', `umask ${umask}; exec "$@"`, 'sh', command, ...args];
  }
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Config, configOf, readConfig } from '../../agent/config.ts';
import { findRepository } from '../../agent/git.ts';
import { isTrusted } from '../../agent/trust.ts';
import { verifyPolicy } from '../../agent/verify-policy.ts';
import { expectFailure } from '../conformance/failure.ts';

let home: string;
let clone: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'depot-config-')));
  clone = join(home, 'clone');
  for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_CONFIG_HOME', join(home, 'xdg'));
  vi.stubEnv('GIT_CONFIG_SYSTEM', join(home, 'system'));
  writeFileSync(join(home, 'system'), '');
  writeFileSync(join(home, '.gitconfig'), '[user]\n\tname = t\n\temail = t@example.com\n');
  git(home, 'init', '-q', '-b', 'main', clone);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

function git(cwd: string, ...args: string[]): void {
  execFileSync('git', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function read(cwd = clone): Promise<Config> {
  return readConfig(cwd, findRepository(cwd));
}

function lfsconfig(text: string, folder = clone): void {
  writeFileSync(join(folder, '.lfsconfig'), text);
}

function commit(text: string): void {
  lfsconfig(text);
  git(clone, 'add', '.lfsconfig');
  git(clone, 'commit', '-qm', 'lfsconfig');
}

describe('the scopes of git', () => {
  test('each setting tells its scope, and the nearest counts', async () => {
    git(clone, 'config', '--system', 'lfs.url', 'depot::/system');
    expect((await read()).get('lfs.url')).toEqual({ scope: 'system', key: 'lfs.url', value: 'depot::/system' });
    git(clone, 'config', '--global', 'lfs.url', 'depot::/global');
    expect((await read()).get('lfs.url')).toMatchObject({ scope: 'global', value: 'depot::/global' });
    git(clone, 'config', 'lfs.url', 'depot::/local');
    expect((await read()).get('lfs.url')).toMatchObject({ scope: 'local', value: 'depot::/local' });
    git(clone, 'config', 'extensions.worktreeConfig', 'true');
    git(clone, 'config', '--worktree', 'lfs.url', 'depot::/worktree');
    expect((await read()).get('lfs.url')).toMatchObject({ scope: 'worktree', value: 'depot::/worktree' });
    vi.stubEnv('GIT_CONFIG_COUNT', '1');
    vi.stubEnv('GIT_CONFIG_KEY_0', 'lfs.url');
    vi.stubEnv('GIT_CONFIG_VALUE_0', 'depot::/command');
    expect((await read()).get('lfs.url')).toMatchObject({ scope: 'command', value: 'depot::/command' });
    expect((await read()).all('lfs.url')).toHaveLength(5);
  });

  test('trust in local or worktree config, or in .lfsconfig, does not count', async () => {
    git(clone, 'config', 'depot.trusted', '/');
    git(clone, 'config', 'extensions.worktreeConfig', 'true');
    git(clone, 'config', '--worktree', 'depot.trusted', '/');
    lfsconfig('[depot]\n\ttrusted = /\n');
    const around = { platform: 'linux', home } as const;
    const location = { kind: 'folder', path: '/srv/lfs' } as const;
    expect(isTrusted(location, await read(), around)).toBe(false);
    git(clone, 'config', '--global', 'depot.trusted', '/srv');
    expect(isTrusted(location, await read(), around)).toBe(true);
  });

  test('a global file that local config includes counts as local', async () => {
    writeFileSync(join(clone, 'included'), '[depot]\n\ttrusted = /\n');
    git(clone, 'config', 'include.path', '../included');
    expect((await read()).get('depot.trusted')?.scope).toBe('local');
  });

  test.each(['a=b', '=', 'with "quotes" and \\backslash', 'line one\nline two\n', '', ' spaces ', '#;', 'ünï 日本'])(
    'the value %j is read as it was set',
    async (value) => {
      git(clone, 'config', '--add', 'lfs.odd', value);
      git(clone, 'config', 'lfs.after', 'x');
      const config = await read();
      expect(config.get('lfs.odd')?.value).toBe(value);
      expect(config.get('lfs.after')?.value).toBe('x');
    },
  );

  test('a key without a value means true', async () => {
    writeFileSync(join(home, '.gitconfig'), '[lfs]\n\tbare\n\tempty =\n');
    const config = await read();
    expect(config.get('lfs.bare')?.value).toBe('true');
    expect(config.get('lfs.empty')?.value).toBe('');
  });

  test('subsections keep their case and their odd characters', async () => {
    git(clone, 'config', 'remote.My.Team/art "x" = y.LfsUrl', 'depot::/x');
    expect((await read()).get('remote.My.Team/art "x" = y.lfsurl')?.value).toBe('depot::/x');
  });

  test('outside of a repository there is the user’s own config', async () => {
    git(clone, 'config', '--global', 'lfs.url', 'depot::/global');
    const config = await readConfig(home, undefined);
    expect(config.get('lfs.url')?.value).toBe('depot::/global');
    await expectFailure(read(home), 'configuration');
  });

  test('a config that git cannot read is told in the words of git', async () => {
    writeFileSync(join(home, '.gitconfig'), '[broken\n');
    const error = await expectFailure(readConfig(home, undefined), 'configuration');
    expect(error.why).toContain('.gitconfig');
  });
});

describe('.lfsconfig', () => {
  const url = async (cwd = clone) => (await read(cwd)).get('lfs.url');

  test('any scope of git config goes before it', async () => {
    lfsconfig('[lfs]\n\turl = depot::/committed\n');
    expect(await url()).toEqual({ scope: 'lfsconfig', key: 'lfs.url', value: 'depot::/committed' });
    git(clone, 'config', '--system', 'lfs.url', 'depot::/system');
    expect(await url()).toMatchObject({ scope: 'system', value: 'depot::/system' });
  });

  test('it is read from the worktree, else from the index, else from HEAD', async () => {
    commit('[lfs]\n\turl = depot::/head\n');
    lfsconfig('[lfs]\n\turl = depot::/index\n');
    git(clone, 'add', '.lfsconfig');
    lfsconfig('[lfs]\n\turl = depot::/worktree\n');
    expect((await url())?.value).toBe('depot::/worktree');
    rmSync(join(clone, '.lfsconfig'));
    expect((await url())?.value).toBe('depot::/index');
    git(clone, 'rm', '-q', '--cached', '-f', '.lfsconfig');
    expect(await url()).toMatchObject({ scope: 'lfsconfig', value: 'depot::/head' });
  });

  test('it is that of the whole worktree in a folder below, and in a linked worktree its own', async () => {
    commit('[lfs]\n\turl = depot::/head\n');
    mkdirSync(join(clone, 'sub/folder'), { recursive: true });
    expect((await url(join(clone, 'sub/folder')))?.value).toBe('depot::/head');
    rmSync(join(clone, '.lfsconfig'));
    expect((await url(join(clone, 'sub/folder')))?.value).toBe('depot::/head');
    git(clone, 'worktree', 'add', '-q', join(home, 'linked'));
    lfsconfig('[lfs]\n\turl = depot::/linked\n', join(home, 'linked'));
    expect((await url(join(home, 'linked')))?.value).toBe('depot::/linked');
  });

  test('in a bare repository it is that of HEAD', async () => {
    commit('[lfs]\n\turl = depot::/head\n');
    const bare = join(home, 'bare.git');
    git(home, 'clone', '-q', '--bare', clone, bare);
    lfsconfig('[lfs]\n\turl = depot::/stray\n', bare);
    expect((await url(bare))?.value).toBe('depot::/head');
  });

  test('none is fine, in a repository without any commit too', async () => {
    expect(await url()).toBeUndefined();
    git(home, 'init', '-q', '--bare', 'empty.git');
    expect(await url(join(home, 'empty.git'))).toBeUndefined();
  });

  test('only the keys that name an endpoint are taken', async () => {
    lfsconfig(
      [
        '[lfs]\n\turl = depot::/url\n\tpushurl = depot::/pushurl\n\tstandalonetransferagent = evil\n\tstorage = /evil',
        '[lfs "depot::"]\n\tstandalonetransferagent = evil',
        '[lfs "customtransfer.depot"]\n\tpath = evil\n\targs = evil',
        '[remote "origin"]\n\tlfsurl = depot::/lfsurl\n\tlfspushurl = depot::/lfspushurl\n\turl = /evil\n\tpushurl = /evil',
        '[remote "a.b"]\n\tlfsurl = depot::/ab',
        '[depot]\n\ttrusted = /\n\tverify = size',
        '[url "depot::/evil"]\n\tinsteadOf = depot::',
        '[core]\n\tfsmonitor = evil',
        '[xlfs]\n\turl = evil',
      ].join('\n'),
    );
    const committed = (await read()).settings.filter(({ scope }) => scope === 'lfsconfig');
    expect(committed.map(({ key }) => key).sort()).toEqual([
      'lfs.pushurl',
      'lfs.url',
      'remote.a.b.lfsurl',
      'remote.origin.lfspushurl',
      'remote.origin.lfsurl',
    ]);
  });

  test('it cannot include another file', async () => {
    writeFileSync(join(home, 'other'), '[lfs]\n\turl = depot::/included\n');
    lfsconfig(`[include]\n\tpath = ${join(home, 'other')}\n`);
    expect(await url()).toBeUndefined();
  });

  test('values with line breaks, equal signs and quotes are read as they are', async () => {
    lfsconfig('[lfs]\n\turl = "depot::/a=b \\"c\\" \\\\ d\\ne"\n');
    expect((await url())?.value).toBe('depot::/a=b "c" \\ d\ne');
  });

  test('one that git cannot read is told, with its name', async () => {
    lfsconfig('<<<<<<< HEAD\n[lfs]\n');
    const error = await expectFailure(read(), 'configuration');
    expect(error.message).toContain('.lfsconfig');
  });
});

describe('depot.verify', () => {
  const of = (value: string) => configOf([{ scope: 'global', key: 'depot.verify', value }]);

  test('content is read back where that is cheap, unless one says otherwise', () => {
    expect(verifyPolicy(configOf([]), 'local')).toBe('content');
    expect(verifyPolicy(configOf([]), 'remote')).toBe('size');
    expect(verifyPolicy(of('size'), 'local')).toBe('size');
    expect(verifyPolicy(of('Content'), 'remote')).toBe('content');
  });

  test('any other value is refused with the right ones', () => {
    for (const value of ['', 'true', 'sha256']) {
      expect(() => verifyPolicy(of(value), 'local')).toThrow(
        expect.objectContaining({
          what: 'cannot use depot.verify',
          why: `'${value}' is neither content nor size`,
          cure: expect.stringContaining('git config --show-origin --get-all depot.verify'),
        }),
      );
    }
  });
});

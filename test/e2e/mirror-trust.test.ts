import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, objectFile, oidOf, soundObjects } from './objects.ts';
import { IS_ROOT, User } from './user.ts';

/** Alice's repository names a store that Bob trusts, and a mirror that he does not. `a.bin` is in both, `b.bin` in the mirror only. */
let alice: Sandbox;
let bob: Sandbox;
let store: string;
let mirror: string;
beforeEach(async () => {
  alice = new Sandbox();
  bob = new Sandbox();
  store = await alice.team();
  mirror = alice.path('mirror');
  await alice.depot('alice', 'mirror', 'add', mirror);
  await alice.git('alice', 'config', '--file', '.lfsdepot', 'depot.write', 'all');
  alice.write('alice/a.bin', 500);
  await alice.push('alice');
  await bob.depot('.', 'install');
  await bob.depot('.', 'trust', store);
});
afterEach(() => {
  alice.remove();
  bob.remove();
});

const SKIP = { GIT_LFS_SKIP_SMUDGE: '1' };

async function clone(env: NodeJS.ProcessEnv = {}, ...options: string[]): Promise<void> {
  await bob.ok('git', ['clone', '-q', ...options, alice.path('remote.git'), 'bob'], { env });
}

async function loseInStore(name = 'a.bin'): Promise<void> {
  rmSync(objectFile(store, oidOf(readFileSync(alice.path('alice', name)))));
}

const HAS_TRACE = ['/usr/bin/strace', '/bin/strace'].some((path) => existsSync(path));

test.skipIf(!HAS_TRACE)('nothing is looked at in a mirror before it is trusted, and the store is used', async () => {
  const calls = bob.path('calls');
  const traced = async (...command: string[]) => {
    await bob.run('strace', ['-f', '-qq', '-s', '4096', '-e', 'trace=%file', '-o', calls, ...command], { cwd: 'bob' });
    return readFileSync(calls, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"${mirror}`) && !line.includes('execve('));
  };
  await clone(SKIP);
  expect(await traced('git', 'lfs', 'pull')).toEqual([]);
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
  bob.write('bob/b.bin', 500);
  await bob.git('bob', 'add', '.');
  await bob.git('bob', 'commit', '-qm', 'b');
  expect(await traced('git', 'push', '-q', 'origin', 'HEAD')).toEqual([]);
  expect(await traced(PROGRAM, 'mirror', 'list')).toEqual([]);
  expect(await bob.git('bob', 'lfs', 'ls-files')).toContain('b.bin');
  await bob.depot('bob', 'trust', '--mirrors');
  expect(await traced(PROGRAM, 'mirror', 'list')).toEqual([]);
  bob.write('bob/c.bin', 500);
  await bob.git('bob', 'add', '.');
  await bob.git('bob', 'commit', '-qm', 'c');
  expect(await traced('git', 'push', '-q', 'origin', 'HEAD')).not.toEqual([]);
});

test('a mirror that is not trusted is told of on the terminal, once, and in GIT_TRACE', async () => {
  const line = `git clone '${alice.path('remote.git')}' bob`;
  const { status, stdout } = await bob.run('script', ['-qec', line, '/dev/null']);
  expect(status).toBe(0);
  expect(stdout.match(/lfs-depot: the mirror [^\n]* is not used: /g)).toHaveLength(1);
  expect(stdout).toContain(`${mirror} is not used: depot.mirror in .lfsdepot names it`);
  rmSync(bob.path('bob/.git/lfs/objects'), { recursive: true });
  const { stderr } = await bob.run('git', ['lfs', 'fetch'], { cwd: 'bob', env: { GIT_TRACE: '1' } });
  expect(stderr).toContain(`the mirror ${mirror} is not used`);
});

test('trust without a location allows the store, and the mirrors only when asked to', async () => {
  const evil = ['/', '//evil.example/share', 'http://evil.example/lfs'];
  for (const location of evil) {
    await alice.git('alice', 'config', '--file', '.lfsdepot', '--add', 'depot.mirror', location);
  }
  await alice.push('alice');
  await bob.depot('.', 'trust', '--remove', store);
  await clone(SKIP);
  const allowed = async (): Promise<string[]> =>
    JSON.parse(await bob.depot('.', 'trust', '--list', '--json')).map(({ location }: { location: string }) => location);
  await bob.depot('bob', 'trust');
  expect(await allowed()).toEqual([store]);
  await loseInStore();
  const refused = await bob.run('git', ['lfs', 'pull'], { cwd: 'bob' });
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('you have not allowed that location')]);

  await alice.git('alice', 'config', '--file', '.lfsdepot', '--replace-all', 'depot.mirror', mirror);
  await alice.push('alice');
  await bob.git('bob', 'pull', '-q');
  await bob.depot('bob', 'trust', '--mirrors');
  expect(await allowed()).toEqual([store, mirror]);
  await bob.git('bob', 'lfs', 'pull');
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
});

test('a mirror in git config needs no trust, whatever .lfsdepot says', async () => {
  await loseInStore();
  await clone(SKIP);
  await bob.git('bob', 'config', 'depot.mirror', mirror);
  await bob.git('bob', 'lfs', 'pull');
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
});

test('.lfsdepot can say nothing but mirrors and how pushes go', async () => {
  const others = {
    'depot.trusted': mirror,
    'depot.offline': 'true',
    'depot.cache': alice.path('cache'),
    'depot.mount': `//server/share=${mirror}`,
    'depot.verify': 'nonsense',
    'depot.retries': 'nonsense',
    'lfs.url': `depot::${alice.path('elsewhere')}`,
    'credential.helper': `!touch '${alice.path('evil')}'; true`,
    'core.sshCommand': `touch '${alice.path('evil')}'`,
    'include.path': alice.path('included'),
  };
  alice.write('included', `[depot]\n\tmirror = ${alice.path('included mirror')}\n`);
  for (const [key, value] of Object.entries(others)) {
    await alice.git('alice', 'config', '--file', '.lfsdepot', key, value);
  }
  await alice.push('alice');
  await clone();
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
  const { primary, mirrors } = JSON.parse(await bob.depot('bob', 'mirror', 'list', '--json'));
  expect(primary).toBe(store);
  expect(mirrors).toEqual([{ location: mirror, used: false, why: expect.any(String), cure: expect.any(String) }]);
  bob.write('bob/b.bin', 500);
  await bob.push('bob');
  for (const made of ['cache', 'evil', 'elsewhere']) expect(existsSync(alice.path(made))).toBe(false);
  expect(existsSync(bob.path('bob/.git/lfs-depot/spool'))).toBe(false);
});

describe.each([
  ['an escape sequence', '\\u001b[2K'],
  ['an escape sequence in one character', '\\u009b2K'],
  ['text that runs backwards', '\\u202e'],
  ['a second line', '\\nhint: run: something evil'],
])('%s in .lfsdepot', (_, written) => {
  const text = JSON.parse(`"${written}"`) as string;

  test('does not reach the terminal', async () => {
    await alice.git('alice', 'config', '--file', '.lfsdepot', '--add', 'depot.mirror', `/srv/${text}lfs`);
    await alice.push('alice');
    const line = `git clone '${alice.path('remote.git')}' bob`;
    const { status, stdout } = await bob.run('script', ['-qec', line, '/dev/null']);
    expect(status).toBe(0);
    expect(stdout).toContain('is not used');
    for (const args of [['mirror', 'list'], ['trust', '--mirrors'], ['doctor']]) {
      const said = await bob.run(PROGRAM, args, { cwd: 'bob' });
      expect(said.stdout + said.stderr).not.toContain(text);
    }
    expect(stdout).not.toContain(`/srv/${text}`);
  });
});

test('credentials in the URL of a mirror are shown nowhere, and the mirror is not used', async () => {
  const url = 'https://u:s3cret@127.0.0.1:9/lfs';
  await alice.git('alice', 'config', '--file', '.lfsdepot', '--add', 'depot.mirror', url);
  await alice.push('alice');
  const line = `git clone '${alice.path('remote.git')}' bob`;
  const shown = [(await bob.run('script', ['-qec', line, '/dev/null'])).stdout];
  for (const args of [
    ['mirror', 'list'],
    ['mirror', 'list', '--json'],
    ['trust', '--mirrors'],
    ['mirror', 'remove', url],
  ]) {
    const { stdout, stderr } = await bob.run(PROGRAM, args, { cwd: 'bob' });
    shown.push(stdout, stderr);
  }
  expect(shown.join('')).toContain('127.0.0.1:9');
  expect(shown.join('')).not.toContain('s3cret');
});

test('a .lfsdepot that git cannot read is told in git’s own words', async () => {
  alice.write('alice/.lfsdepot', '[depot\n');
  const push = await alice.run('git', ['lfs', 'push', '--all', 'origin'], { cwd: 'alice' });
  expect(push.status).not.toBe(0);
  expect(push.stderr).toMatch(/: \[2\] .*bad config line 1 in file .*\.lfsdepot/);
  const list = await alice.run(PROGRAM, ['mirror', 'list'], { cwd: 'alice' });
  expect([list.status, list.stderr]).toEqual([1, expect.stringContaining('bad config line 1')]);
});

test.skipIf(!IS_ROOT)('a .lfsdepot that may not be read is told in git’s own words', async () => {
  const carol = new User({ uid: 4001, gid: 4001 });
  try {
    for (const path of [alice.root, alice.path('store')]) chmodSync(path, 0o755);
    await carol.depot('.', 'install');
    await carol.git('.', 'config', '--global', 'filter.lfs.required', 'false');
    await carol.git('.', 'clone', '-q', alice.path('remote.git'), 'clone').catch(() => {});
    chmodSync(carol.box.path('clone/.lfsdepot'), 0o000);
    const { status, stderr } = await carol.run(PROGRAM, ['mirror', 'list'], 'clone');
    expect([status, stderr]).toEqual([1, expect.stringMatching(/\.lfsdepot'?: Permission denied/)]);
    expect(stderr).toMatch(/\nhint: \S/);
  } finally {
    carol.box.remove();
  }
});

describe('the mirror is found', () => {
  beforeEach(async () => {
    await bob.depot('.', 'trust', mirror);
    await loseInStore();
  });

  test('in a clone whose files were checked out without their objects', async () => {
    await clone(SKIP);
    await bob.git('bob', 'lfs', 'pull');
    expectSameWorktree(alice.path('alice'), bob.path('bob'));
  });

  test('in a clone in which nothing is checked out', async () => {
    await clone({}, '--no-checkout');
    await bob.git('bob', 'lfs', 'fetch');
    expect(soundObjects(bob.path('bob/.git/lfs/objects'))).toHaveLength(1);
    await bob.git('bob', 'checkout', '-q', 'HEAD');
    expectSameWorktree(alice.path('alice'), bob.path('bob'));
  });

  test('in a bare repository', async () => {
    await clone({}, '--bare');
    await bob.git('bob', 'lfs', 'fetch', 'origin', 'main');
    expect(soundObjects(bob.path('bob/lfs/objects'))).toHaveLength(1);
  });

  test('in a sparse checkout of one folder', async () => {
    alice.write('alice/sub/b.bin', 500);
    await alice.push('alice');
    await loseInStore('sub/b.bin');
    await clone(SKIP, '--no-checkout');
    await bob.git('bob', 'sparse-checkout', 'set', '--no-cone', '/sub/');
    await bob.git('bob', 'checkout', '-q', 'HEAD');
    expect(existsSync(bob.path('bob/.lfsdepot'))).toBe(false);
    const sub = readFileSync(bob.path('bob/sub/b.bin'));
    expect(sub.equals(readFileSync(alice.path('alice/sub/b.bin')))).toBe(true);
  });

  test('in a linked worktree', async () => {
    await clone(SKIP);
    await bob.git('bob', 'worktree', 'add', '-q', '../linked', '-b', 'other');
    expectSameWorktree(alice.path('alice'), bob.path('linked'));
  });
});

test('git-lfs warns of nothing because of .lfsdepot', async () => {
  await bob.depot('.', 'trust', mirror);
  await alice.git('alice', 'config', '--file', '.lfsdepot', 'depot.quorum', '1');
  await alice.push('alice');
  const results: Result[] = [await bob.run('git', ['clone', alice.path('remote.git'), 'bob'])];
  bob.write('bob/b.bin', 500);
  await bob.git('bob', 'add', '.');
  await bob.git('bob', 'commit', '-qm', 'b');
  for (const args of [
    ['lfs', 'env'],
    ['lfs', 'fetch'],
    ['lfs', 'status'],
    ['lfs', 'ls-files'],
    ['push', 'origin', 'HEAD'],
  ]) {
    results.push(await bob.run('git', args, { cwd: 'bob' }));
  }
  for (const { status, stderr } of results)
    expect([status, stderr]).toEqual([0, expect.not.stringMatching(/warning/i)]);
});

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { expectSameWorktree } from './objects.ts';

/** Alice's repository names a location that Bob has not allowed. */
let alice: Sandbox;
let bob: Sandbox;
let store: string;
beforeEach(async () => {
  alice = new Sandbox();
  bob = new Sandbox();
  store = await alice.team();
  for (const name of ['a', 'b']) alice.write(`alice/${name}.bin`, 500);
  await alice.push('alice');
  await bob.depot('.', 'install');
});
afterEach(() => {
  alice.remove();
  bob.remove();
});

function clone(...options: string[]): Promise<Result> {
  return bob.run('git', ['clone', '-q', ...options, alice.path('remote.git'), 'bob']);
}

function expectRefused({ status, stderr }: Result): void {
  expect(status).not.toBe(0);
  expect(stderr).toContain(`: [2] will not open ${store}: lfs.url in .lfsconfig names it`);
}

const commandsIn = (message: string): string[] => message.match(/(lfs-depot|git checkout) .*$/gm) ?? [];

test('a location that is not trusted is refused, with the commands that allow it and finish the clone', async () => {
  const refused = await clone();
  expectRefused(refused);
  const commands = commandsIn(refused.stderr);
  expect(commands).toEqual([`lfs-depot trust ${store}`, 'git checkout -f HEAD']);
  for (const command of commands) await bob.sh('bob', command);
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
  expect(await bob.git('bob', 'status', '--porcelain')).toBe('');
});

test('after trust, what git itself suggests finishes the files of the clone too', async () => {
  const refused = await clone();
  expectRefused(refused);
  const [, suggestion = 'no suggestion'] = /retry with '(git restore [^']*)'/.exec(refused.stderr) ?? [];
  await bob.depot('bob', 'trust');
  await bob.sh('bob', suggestion);
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
});

test('after trust, git lfs pull finishes a clone that skipped its objects', async () => {
  await bob.ok('git', ['clone', '-q', alice.path('remote.git'), 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  const pull = await bob.run('git', ['lfs', 'pull'], { cwd: 'bob' });
  expectRefused(pull);
  await bob.sh('bob', commandsIn(pull.stderr)[0] ?? 'no command in the message');
  await bob.git('bob', 'lfs', 'pull');
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
});

test('a push is refused as well', async () => {
  await bob.ok('git', ['clone', '-q', alice.path('remote.git'), 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  bob.write('bob/new.bin', 500);
  await bob.git('bob', 'add', '.');
  await bob.git('bob', 'commit', '-qm', 'new');
  expectRefused(await bob.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'bob' }));
});

const HAS_STRACE = ['/usr/bin/strace', '/bin/strace'].some((path) => existsSync(path));

test.skipIf(!HAS_STRACE)('nothing is looked at there before it is trusted', async () => {
  const calls = bob.path('calls');
  const traced = async (...command: string[]) => {
    await bob.run('strace', ['-f', '-qq', '-s', '4096', '-e', 'trace=%file', '-o', calls, ...command], { cwd: 'bob' });
    return readFileSync(calls, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"${store}`) && !line.includes('execve('));
  };
  await bob.ok('git', ['clone', '-q', alice.path('remote.git'), 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  expect(await traced('git', 'lfs', 'pull')).toEqual([]);
  await bob.depot('bob', 'trust');
  expect(await traced('git', 'lfs', 'pull')).not.toEqual([]);
});

test('depot.trusted counts neither in .lfsconfig nor in the config of the clone', async () => {
  await alice.git('alice', 'config', '--file', '.lfsconfig', 'depot.trusted', store);
  await alice.push('alice');
  expectRefused(await clone('-c', `depot.trusted=${store}`));
  await bob.git('bob', 'config', 'extensions.worktreeConfig', 'true');
  await bob.git('bob', 'config', '--worktree', 'depot.trusted', store);
  expect(await bob.git('bob', 'config', '--get-all', 'depot.trusted')).toBe(`${store}\n${store}\n`);
  expectRefused(await bob.run('git', ['lfs', 'fetch'], { cwd: 'bob' }));
  expect(await bob.depot('bob', 'trust', '--list')).toBe('No location is trusted yet.\n');
});

test('depot.trusted counts in the system config, and for one command', async () => {
  bob.write('system', `[depot]\n\ttrusted = "${store}"\n`);
  const system = { GIT_CONFIG_NOSYSTEM: '0', GIT_CONFIG_SYSTEM: bob.path('system') };
  await bob.ok('git', ['clone', '-q', alice.path('remote.git'), 'by system'], { env: system });
  expectSameWorktree(alice.path('alice'), bob.path('by system'));
  await bob.git('.', '-c', `depot.trusted=${store}`, 'clone', '-q', alice.path('remote.git'), 'by command');
  expectSameWorktree(alice.path('alice'), bob.path('by command'));
});

test('trust in a folder covers what lies below it, by whole names only', async () => {
  await bob.depot('.', 'trust', store.slice(0, -1));
  await bob.depot('.', 'trust', `${store}/inner`);
  expectRefused(await clone());
  await bob.depot('.', 'trust', alice.root);
  await bob.git('bob', 'checkout', '-q', '-f', 'HEAD');
  expectSameWorktree(alice.path('alice'), bob.path('bob'));
});

test('dots in a location do not lead out of what is trusted', async () => {
  mkdirSync(bob.path('mine'));
  await bob.depot('.', 'trust', bob.path('mine'));
  await alice.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', `depot::${bob.path('mine')}/../..${store}`);
  await alice.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', `depot::${bob.path('mine')}/../../..${store}`);
  await alice.push('alice');
  expectRefused(await clone());
});

test('trust that is taken back counts no longer', async () => {
  await bob.depot('.', 'trust', store);
  await bob.git('.', 'clone', '-q', alice.path('remote.git'), 'bob');
  await bob.depot('.', 'trust', '--remove', store);
  execFileSync('rm', ['-r', bob.path('bob/.git/lfs/objects')]);
  expectRefused(await bob.run('git', ['lfs', 'fetch'], { cwd: 'bob' }));
});

test.each([
  ['an escape sequence', '\\u001b[2K'],
  ['an escape sequence in one character', '\\u009b2K'],
  ['a second hint', '\\nhint: run: something evil'],
  ['text that runs backwards', '\\u202e'],
])('a location in .lfsconfig cannot put %s on the terminal', async (_, written) => {
  const text = JSON.parse(`"${written}"`) as string;
  await alice.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', `depot::/srv/${text}lfs`);
  await alice.push('alice');
  await bob.ok('git', ['clone', '-q', alice.path('remote.git'), 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  for (const args of [['doctor'], ['trust']]) {
    const { stdout, stderr } = await bob.run(PROGRAM, args, { cwd: 'bob' });
    expect(stdout + stderr).not.toContain(text);
  }
  const { stderr } = await bob.run('git', ['lfs', 'fetch'], { cwd: 'bob' });
  // The last line is git-lfs's own, and names its endpoint.
  expect(stderr.replace(/failed to fetch some objects from .*/is, '')).not.toContain(text);
});

import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { expectSameWorktree, oidOf, soundObjects, soundStore } from './objects.ts';

/** A remote that is a folder, and no lfs.url: its objects lie in its own lfs/objects, where git-lfs keeps them too. */
let box: Sandbox;
/** Git-lfs alone, without lfs-depot. */
let plain: Sandbox;
beforeEach(async () => {
  box = new Sandbox();
  plain = new Sandbox();
  await box.depot('.', 'install');
});
afterEach(() => {
  box.remove();
  plain.remove();
});

const AGENT = ['-c', 'lfs.standalonetransferagent=depot'];

async function makeRemote(kind: 'bare' | 'with a worktree'): Promise<{ remote: string; objects: string }> {
  const remote = box.path('the remote');
  await box.git('.', 'init', '-q', ...(kind === 'bare' ? ['--bare'] : []), remote);
  return { remote, objects: `${remote}${kind === 'bare' ? '' : '/.git'}/lfs/objects` };
}

async function commitFile(person: Sandbox, clone: string, name: string): Promise<string> {
  await person.git(clone, 'lfs', 'track', '*.bin');
  const content = readFileSync(person.write(`${clone}/${name}`, 500));
  await person.git(clone, 'add', '.');
  await person.git(clone, 'commit', '-qm', name);
  return oidOf(content);
}

test.each(['bare', 'with a worktree'] as const)('objects go into the remote itself: %s', async (kind) => {
  const { remote, objects } = await makeRemote(kind);
  await box.git('.', 'clone', '-q', ...AGENT, remote, 'alice');
  const oid = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD:shared');
  expect(soundObjects(objects)).toEqual([oid]);
  expect(readdirSync(`${objects}/../tmp`)).toEqual([]);
  await box.git('.', 'clone', '-q', ...AGENT, '-b', 'shared', remote, 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test.each(['bare', 'with a worktree'] as const)(
  'git-lfs alone and lfs-depot read what the other wrote: %s',
  async (kind) => {
    const { remote, objects } = await makeRemote(kind);
    await box.git('.', 'clone', '-q', ...AGENT, remote, 'alice');
    const first = await commitFile(box, 'alice', 'a.bin');
    await box.git('alice', 'push', '-q', 'origin', 'HEAD:shared');

    await plain.git('.', 'clone', '-q', '-b', 'shared', remote, 'bob');
    expectSameWorktree(box.path('alice'), plain.path('bob'));
    const second = await commitFile(plain, 'bob', 'b.bin');
    await plain.git('bob', 'push', '-q', 'origin', 'HEAD:shared');
    expect(soundObjects(objects).sort()).toEqual([first, second].sort());

    await box.git('.', 'clone', '-q', ...AGENT, '-b', 'shared', remote, 'carol');
    expectSameWorktree(plain.path('bob'), box.path('carol'));
  },
);

test.each([
  ['a file URL', (path: string) => `file://${encodeURI(path)}`],
  ['a path without its .git', (path: string) => path.replace(/\.git$/, '')],
  ['a path from the clone', () => '../remote.git'],
])('the remote may be named by %s', async (_, spell) => {
  await box.git('.', 'init', '-q', '--bare', 'remote.git');
  await box.git('.', 'init', '-q', 'alice');
  await box.git('alice', 'config', 'lfs.standalonetransferagent', 'depot');
  await box.git('alice', 'remote', 'add', 'origin', spell(box.path('remote.git')));
  const oid = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundObjects(box.path('remote.git/lfs/objects'))).toEqual([oid]);
});

test('git push with the path of a folder uses that folder', async () => {
  const { remote, objects } = await makeRemote('bare');
  await box.git('.', 'init', '-q', 'alice');
  await box.git('alice', 'config', 'lfs.standalonetransferagent', 'depot');
  const oid = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'push', '-q', remote, 'HEAD:main');
  expect(soundObjects(objects)).toEqual([oid]);
});

test('a remote that is a linked worktree is used by the repository that it belongs to', async () => {
  const { remote, objects } = await makeRemote('with a worktree');
  await box.git(remote, 'commit', '-q', '--allow-empty', '-m', 'start');
  await box.git(remote, 'worktree', 'add', '-q', box.path('linked'));
  await box.git('.', 'clone', '-q', ...AGENT, 'linked', 'alice');
  const oid = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD:shared');
  expect(soundObjects(objects)).toEqual([oid]);
});

test('after install --file-remotes, every folder remote uses it without a setting, and after uninstall none does', async () => {
  const { remote, objects } = await makeRemote('bare');
  const before = readFileSync(box.path('home/.gitconfig'), 'utf8');
  await box.depot('.', 'install', '--file-remotes');
  await box.git('.', 'clone', '-q', remote, 'alice');
  const oid = await commitFile(box, 'alice', 'a.bin');
  const push = { cwd: 'alice', env: { GIT_TRACE: '1' } };
  const pushed = await box.run('git', ['push', 'origin', 'HEAD:main'], push);
  expect(pushed.stderr).toContain('lfs-depot');
  expect(pushed.stderr).not.toContain('lfs-standalone-file');
  expect(soundObjects(objects)).toEqual([oid]);
  await box.git('.', 'clone', '-q', '-b', 'main', remote, 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));

  await box.depot('.', 'uninstall');
  await box.depot('.', 'install');
  expect(readFileSync(box.path('home/.gitconfig'), 'utf8')).toBe(before);
});

test('an lfs.url that is the file: URL of a repository is served as git-lfs would, and one of a store as that', async () => {
  await box.depot('.', 'install', '--file-remotes');
  await box.git('.', 'init', '-q', '--bare', 'objects.git');
  await box.git('.', 'init', '-q', 'alice');
  await box.git('alice', 'remote', 'add', 'origin', 'https://git.example.com/repo.git');
  await box.git('alice', 'config', 'lfs.url', `file://${box.path('objects.git')}`);
  const first = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'lfs', 'push', 'origin', 'HEAD');
  expect(soundObjects(box.path('objects.git/lfs/objects'))).toEqual([first]);

  await box.git('.', 'init', '-q', 'bob');
  await box.depot('bob', 'init', box.path('store'));
  await box.git('alice', 'config', 'lfs.url', `file://${box.path('store')}`);
  await box.git('alice', 'lfs', 'push', 'origin', 'HEAD');
  expect(soundStore(box.path('store'))).toEqual([first]);

  await box.git('alice', 'config', 'lfs.url', `file://${box.path('home')}`);
  const neither = await box.run('git', ['lfs', 'push', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(neither.stderr).toContain('there is no lfs-depot.json');
});

// What merely opening it sends to the server is why a share is asked for; git itself is stopped by no such question.
test('a remote on a share is not opened before it is trusted', async () => {
  await box.depot('.', 'install', '--file-remotes');
  await box.git('.', 'init', '-q', 'alice');
  await box.git('alice', 'remote', 'add', 'origin', 'file://no-such-server.invalid/lfs/repo.git');
  await commitFile(box, 'alice', 'a.bin');
  const refused = await box.run('git', ['lfs', 'push', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('[2] will not open //no-such-server.invalid/lfs/repo.git');
  const [, command = 'no command in the message'] = /run: (lfs-depot trust .*)$/m.exec(refused.stderr) ?? [];
  await box.sh('alice', command);
  const away = await box.run('git', ['lfs', 'push', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(away.stderr).toContain(
    '[3] cannot open //no-such-server.invalid/lfs/repo.git: //no-such-server.invalid/lfs is not mounted',
  );
});

test('a remote on a share is used where that is mounted', async () => {
  await box.git('.', 'init', '-q', '--bare', 'mounted/repo.git');
  await box.depot('.', 'install', '--file-remotes');
  await box.depot('.', 'trust', '//nas.example.com/lfs');
  await box.git('.', 'config', '--global', 'depot.mount', `//nas.example.com/lfs=${box.path('mounted')}`);
  await box.git('.', 'init', '-q', 'alice');
  await box.git('alice', 'remote', 'add', 'origin', 'file://nas.example.com/lfs/repo.git');
  const oid = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'lfs', 'push', 'origin', 'HEAD');
  expect(soundObjects(box.path('mounted/repo.git/lfs/objects'))).toEqual([oid]);
});

test('objects of a remote that has vanished cannot be fetched, and the message says why', async () => {
  const { remote } = await makeRemote('bare');
  await box.git('.', 'clone', '-q', ...AGENT, remote, 'alice');
  await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  renameSync(remote, `${remote} (away)`);
  await box.ok('sh', ['-c', 'rm -rf .git/lfs/objects'], { cwd: 'alice' });
  const failed = await box.run('git', ['lfs', 'fetch'], { cwd: 'alice' });
  expect(failed.status).not.toBe(0);
  expect(failed.stderr).toContain('[3] ');
  expect(failed.stderr).toContain(remote);
  expect(existsSync(remote)).toBe(false);
});

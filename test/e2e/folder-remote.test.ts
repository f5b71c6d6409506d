import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { expectSameWorktree, oidOf, soundObjects } from './objects.ts';

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
  await box.depot('.', 'trust', remote);
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
    await box.depot('.', 'trust', remote);
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
  await box.depot('.', 'trust', box.root);
  await box.git('.', 'init', '-q', 'alice');
  await box.git('alice', 'config', 'lfs.standalonetransferagent', 'depot');
  await box.git('alice', 'remote', 'add', 'origin', spell(box.path('remote.git')));
  const oid = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundObjects(box.path('remote.git/lfs/objects'))).toEqual([oid]);
});

test('git push with the path of a folder uses that folder', async () => {
  const { remote, objects } = await makeRemote('bare');
  await box.depot('.', 'trust', remote);
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
  await box.depot('.', 'trust', box.root);
  await box.git('.', 'clone', '-q', ...AGENT, 'linked', 'alice');
  const oid = await commitFile(box, 'alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD:shared');
  expect(soundObjects(objects)).toEqual([oid]);
});

test('a remote that is a folder is not opened before it is trusted', async () => {
  const { remote, objects } = await makeRemote('bare');
  await box.git('.', 'clone', '-q', ...AGENT, remote, 'alice');
  await commitFile(box, 'alice', 'a.bin');
  const refused = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain(`[2] will not open ${remote}`);
  expect(existsSync(objects)).toBe(false);
  const [, command = 'no command in the message'] = /run: (lfs-depot trust .*)$/m.exec(refused.stderr) ?? [];
  await box.sh('alice', command);
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundObjects(objects)).toHaveLength(1);
});

test('objects of a remote that has vanished cannot be fetched, and the message says why', async () => {
  const { remote } = await makeRemote('bare');
  await box.depot('.', 'trust', remote);
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

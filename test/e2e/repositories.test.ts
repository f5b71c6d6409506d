import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { expectSameWorktree, objectFile, oidOf, soundObjects, soundStore } from './objects.ts';

let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
});
afterEach(() => box.remove());

test('a linked worktree fetches the objects of its own branch, and pushes', async () => {
  box.write('alice/main.bin', 500);
  await box.push('alice');
  await box.git('alice', 'checkout', '-qb', 'other');
  const other = readFileSync(box.write('alice/other.bin', 600));
  await box.push('alice');
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expect(soundObjects(box.path('bob/.git/lfs/objects'))).not.toContain(oidOf(other));

  await box.git('bob', 'worktree', 'add', '-q', '../linked', 'other');
  expect(readFileSync(box.path('linked/other.bin'))).toEqual(other);
  expect(soundObjects(box.path('bob/.git/lfs/objects'))).toContain(oidOf(other));

  const pushed = oidOf(readFileSync(box.write('linked/sub/new.bin', 700)));
  await box.push('linked');
  expect(soundStore(store)).toContain(pushed);
});

test('a linked worktree fetches with git lfs fetch and checkout too', async () => {
  const content = readFileSync(box.write('alice/a.bin', 500));
  await box.push('alice');
  await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  await box.ok('git', ['worktree', 'add', '-q', '-b', 'side', '../linked'], {
    cwd: 'bob',
    env: { GIT_LFS_SKIP_SMUDGE: '1' },
  });
  expect(readFileSync(box.path('linked/a.bin'), 'utf8')).toContain('version https://git-lfs');
  await box.git('linked', 'lfs', 'fetch');
  await box.git('linked', 'lfs', 'checkout');
  expect(readFileSync(box.path('linked/a.bin'))).toEqual(content);
});

test('a bare clone fetches all objects, and pushes them from there', async () => {
  for (const text of ['first', 'second']) {
    box.write('alice/a.bin', text);
    await box.push('alice', text);
  }
  const oids = soundStore(store);
  await box.git('.', 'clone', '-q', '--bare', 'remote.git', 'mirror.git');
  await box.git('mirror.git', 'lfs', 'fetch', '--all');
  expect(soundObjects(box.path('mirror.git/lfs/objects')).sort()).toEqual(oids);

  for (const oid of oids) rmSync(objectFile(store, oid));
  await box.git('mirror.git', 'lfs', 'push', '--all', 'origin');
  expect(soundStore(store)).toEqual(oids);
});

test('a push from a subfolder works', async () => {
  const oid = oidOf(readFileSync(box.write('alice/sub/folder/a.bin', 500)));
  await box.push('alice/sub/folder');
  expect(soundStore(store)).toEqual([oid]);
});

test('--git-dir and --work-tree work from outside of the clone, to push and to fetch', async () => {
  const content = readFileSync(box.write('alice/a.bin', 500));
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  await box.git('.', '--git-dir=alice/.git', '--work-tree=alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(store)).toEqual([oidOf(content)]);

  await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  await box.git('.', `--git-dir=${box.path('bob/.git')}`, `--work-tree=${box.path('bob')}`, 'lfs', 'pull');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test('an exported GIT_DIR is used, also from within another repository', async () => {
  const content = readFileSync(box.write('alice/a.bin', 500));
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  await box.git('.', 'init', '-q', 'another');
  await box.ok('git', ['push', '-q', 'origin', 'HEAD'], {
    cwd: 'another',
    env: { GIT_DIR: box.path('alice/.git'), GIT_WORK_TREE: box.path('alice') },
  });
  expect(soundStore(store)).toEqual([oidOf(content)]);

  await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  await box.ok('git', ['lfs', 'fetch'], { cwd: 'another', env: { GIT_DIR: box.path('bob/.git') } });
  expect(soundObjects(box.path('bob/.git/lfs/objects'))).toEqual([oidOf(content)]);
  expect(existsSync(box.path('another/.git/lfs/objects'))).toBe(false);
});

test('a clone whose git folder lies elsewhere works', async () => {
  const content = readFileSync(box.write('alice/a.bin', 500));
  await box.push('alice');
  await box.git('.', 'clone', '-q', '--separate-git-dir=elsewhere', 'remote.git', 'bob');
  expect(readFileSync(box.path('bob/a.bin'))).toEqual(content);
  expect(soundObjects(box.path('elsewhere/lfs/objects'))).toEqual([oidOf(content)]);
  const pushed = oidOf(readFileSync(box.write('bob/b.bin', 600)));
  await box.push('bob');
  expect(soundStore(store)).toContain(pushed);
});

test.each(['/dev/shm', 'absolute', 'relative'])(
  'objects kept elsewhere by lfs.storage are fetched to there: %s',
  async (where) => {
    const content = readFileSync(box.write('alice/a.bin', 500));
    await box.push('alice');
    const parent = where === '/dev/shm' && existsSync(where) ? new Sandbox(where) : undefined;
    try {
      const folder = parent?.path('objects of bob') ?? box.path(where === 'relative' ? 'bob/.git/own' : 'own');
      if (parent) mkdirSync(folder);
      await box.git(
        '.',
        'clone',
        '-q',
        '-c',
        `lfs.storage=${where === 'relative' ? 'own' : folder}`,
        'remote.git',
        'bob',
      );
      expect(readFileSync(box.path('bob/a.bin'))).toEqual(content);
      expect(soundObjects(`${folder}/objects`)).toEqual([oidOf(content)]);
      expect(existsSync(box.path('bob/.git/lfs/tmp'))).toBe(false);
      const pushed = oidOf(readFileSync(box.write('bob/b.bin', 600)));
      await box.push('bob');
      expect(soundStore(store)).toContain(pushed);
    } finally {
      parent?.remove();
    }
  },
);

test('a shallow clone and a sparse checkout fetch what they show', async () => {
  for (const name of ['in', 'out']) box.write(`alice/${name}/a.bin`, 500);
  await box.push('alice');
  await box.git('.', 'clone', '-q', '--depth=1', '--sparse', `file://${box.path('remote.git')}`, 'bob');
  await box.git('bob', 'sparse-checkout', 'set', 'in');
  expect(readFileSync(box.path('bob/in/a.bin'))).toEqual(readFileSync(box.path('alice/in/a.bin')));
  expect(existsSync(box.path('bob/out'))).toBe(false);
  expect(soundObjects(box.path('bob/.git/lfs/objects'))).toHaveLength(1);
});

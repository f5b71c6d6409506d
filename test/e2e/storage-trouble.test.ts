import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, Sandbox } from '../sandbox.ts';
import { unmount } from '../unmount.ts';
import { expectSameWorktree, soundStore } from './objects.ts';
import { IS_ROOT, User } from './user.ts';

/** Storage that is there and refuses. Root is not refused anything, so the person is a user of their own. */
let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
  chmodSync(box.root, 0o755);
});
afterEach(() => box.remove());

describe.skipIf(!IS_ROOT)('a store that somebody may only read', () => {
  let reader: User;
  beforeEach(() => {
    reader = new User({ uid: 4001, gid: 4001 });
  });
  afterEach(() => reader.box.remove());

  test('is cloned from, and a push says who must do what', async () => {
    const store = await box.team();
    box.write('alice/a.bin', 500);
    await box.push('alice');
    const before = filesBelow(store);

    await reader.depot('.', 'install');
    await reader.depot('.', 'trust', store);
    await reader.git('.', 'clone', '-q', box.path('remote.git'), 'bob');
    expectSameWorktree(box.path('alice'), reader.box.path('bob'));

    await reader.sh('bob', 'echo new > b.bin; git add .; git commit -qm b');
    const push = await reader.run('git', ['push', '-q', 'origin', 'HEAD'], 'bob');
    expect(push.status).not.toBe(0);
    expect(push.stderr).toContain(': [6] cannot store ');
    expect(push.stderr).toContain(store);
    expect(push.stderr).toContain('permission denied (EACCES)');
    expect(push.stderr).toMatch(/hint: .*write access/);
    expect(filesBelow(store)).toEqual(before);
  });

  test('cannot be made: init fails, and writes neither .lfsconfig nor trust', async () => {
    mkdirSync(box.path('shared'));
    await reader.git('.', 'init', '-q', 'bob');
    const before = await reader.git('bob', 'config', '--list', '--global');
    for (const location of [box.path('shared/new'), box.path('shared')]) {
      const init = await reader.run(`${process.cwd()}/dist/bin/lfs-depot`, ['init', location], 'bob');
      expect(init.status).toBe(1);
      expect(init.stderr).toContain('permission denied (EACCES)');
      expect(init.stderr).toContain(location);
      expect(existsSync(reader.box.path('bob/.lfsconfig'))).toBe(false);
    }
    expect(await reader.git('bob', 'config', '--list', '--global')).toBe(before);
    expect(filesBelow(box.path('shared'))).toEqual([]);
  });

  test('and whose objects may not be read: the message says so', async () => {
    const store = await box.team();
    box.write('alice/a.bin', 500);
    await box.push('alice');
    chmodSync(store, 0o700);
    await reader.depot('.', 'install');
    await reader.depot('.', 'trust', store);
    const clone = await reader.run('git', ['clone', '-q', box.path('remote.git'), 'bob']);
    expect(clone.status).not.toBe(0);
    expect(clone.stderr).toContain(`[6] cannot open ${store}`);
    expect(clone.stderr).toContain('permission denied (EACCES)');
    expect(clone.stderr).toMatch(/hint: .*let you read it/);
    expect(clone.stderr).not.toMatch(/hint: .*write access/);
  });
});

describe.skipIf(!IS_ROOT)('a store on a small disk', () => {
  beforeEach(() => {
    mkdirSync(box.path('disk'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'depot-test', box.path('disk')]);
  });
  afterEach(() => unmount(box.path('disk')));

  test('that is full refuses a push, keeps nothing partial, and takes it when there is space', async () => {
    const store = await box.team(box.path('disk/store'));
    writeFileSync(box.path('disk/filler'), Buffer.alloc(2_000_000));
    for (const name of ['a', 'b', 'c']) box.write(`alice/${name}.bin`, 700_000);
    box.write('alice/large.bin', 1_500_000);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'too much');
    const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
    expect(push.status).not.toBe(0);
    expect(push.stderr).toContain(': [7] cannot store ');
    expect(push.stderr).toContain('no space left on device (ENOSPC)');
    expect(push.stderr).toMatch(/hint: .*free some space/);
    expect(push.stderr).toContain(store);
    soundStore(store);

    rmSync(box.path('disk/filler'));
    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
    expect(soundStore(store)).toHaveLength(4);
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('that is mounted read-only is cloned from, and a push says so', async () => {
    const store = await box.team(box.path('disk/store'));
    box.write('alice/a.bin', 500);
    await box.push('alice');
    execFileSync('mount', ['-o', 'remount,ro', box.path('disk')]);
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
    box.write('bob/b.bin', 600);
    await box.git('bob', 'add', '.');
    await box.git('bob', 'commit', '-qm', 'b');
    const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'bob' });
    expect(push.status).not.toBe(0);
    expect(push.stderr).toContain(': [6] cannot store ');
    expect(push.stderr).toMatch(/hint: .*read-only/);
    expect(push.stderr).toContain(store);
  });
});

test.skipIf(!IS_ROOT)('a full disk on the side of a clone is said, and nothing partial is kept', async () => {
  await box.team();
  box.write('alice/a.bin', 3_000_000);
  await box.push('alice');
  const disk = box.path('small disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'depot-test', disk]);
  try {
    const clone = await box.run('git', ['clone', '-q', 'remote.git', `${disk}/bob`]);
    expect(clone.status).not.toBe(0);
    const [said = ''] = /\[7\] .*\nhint: .*/.exec(clone.stderr) ?? [];
    // The disk that is full is the clone's, so that is where space is to be made.
    expect(said).toContain('no space left on device (ENOSPC)');
    expect(said).toContain(disk);
    expect(said).not.toContain('push again');
    const kept = () => filesBelow(`${disk}/bob/.git/lfs`).filter((path) => !path.startsWith('logs/'));
    await expect.poll(kept).toEqual([]);
  } finally {
    await unmount(disk);
  }
});

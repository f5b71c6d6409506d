import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectSameWorktree, oidOf } from '../e2e/objects.ts';
import { Sandbox } from '../sandbox.ts';
import { HAS_SHARES, mountShare, SERVER, unmountShare } from './share.ts';
import { soundOnServer } from './sound.ts';

describe.skipIf(!HAS_SHARES)('with the real git-lfs on a mounted share', () => {
  let box: Sandbox;
  let share: string;
  let number = 0;
  /** A folder of its own for each test, by its name on the server. */
  let folder: string;
  beforeEach(() => {
    box = new Sandbox();
    share = mountShare('lfs');
    folder = `push-${number++}`;
  });
  afterEach(() => {
    unmountShare(share);
    box.remove();
  });

  test('a store that is named by its share takes a push and gives a clone', async () => {
    const location = `//${SERVER}/lfs/${folder}`;
    await box.team(location);
    expect(readFileSync(box.path('alice/.lfsconfig'), 'utf8')).toContain(location);
    const small = readFileSync(box.write('alice/small.bin', 1000));
    const large = readFileSync(box.write('alice/large.bin', 3_000_000));
    await box.push('alice');
    expect(await soundOnServer(`lfs/${folder}`)).toEqual([oidOf(small), oidOf(large)].sort());
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('colleagues who mounted the share elsewhere, or only a folder of it, use the same .lfsconfig', async () => {
    await box.team(`//${SERVER}/LFS/Art/${folder}`);
    box.write('alice/file.bin', 1000);
    await box.push('alice');
    unmountShare(share);
    share = mountShare('lfs/art', [], '/mnt/her own place');
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
    box.write('bob/more.bin', 1000);
    await box.push('bob');
    expect(await soundOnServer(`lfs/art/${folder}`)).toHaveLength(2);
  });

  test('a store that is named by the mount point takes a push and gives a clone', async () => {
    await box.team(`${share}/${folder}`);
    box.write('alice/file.bin', 100_000);
    await box.push('alice');
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
    expect(await soundOnServer(`lfs/${folder}`)).toHaveLength(1);
  });

  test('a share that is not mounted is an error with the command that mounts it', async () => {
    await box.team(`//${SERVER}/lfs/${folder}`);
    box.write('alice/file.bin', 1000);
    await box.push('alice');
    unmountShare(share);
    const clone = await box.run('git', ['clone', '-q', 'remote.git', 'bob'], {});
    share = mountShare('lfs');
    expect(clone.status).not.toBe(0);
    expect(clone.stderr).toMatch(/\[3\]|\[2\]/);
    expect(clone.stderr).toContain(`mount -t cifs //${SERVER}/lfs`);
  });

  test('two people who push the same and different objects at once both succeed', async () => {
    await box.team(`//${SERVER}/lfs/${folder}`);
    await box.push('alice').catch(() => box.git('alice', 'push', '-q', 'origin', 'HEAD'));
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    const same = Array.from({ length: 6 }, (_, index) => Buffer.alloc(50_000 + index, `same ${index}`));
    for (const clone of ['alice', 'bob']) {
      for (const [index, content] of same.entries()) box.write(`${clone}/same-${index}.bin`, content);
      for (let index = 0; index < 4; index++) box.write(`${clone}/${clone}-${index}.bin`, 20_000);
      await box.git(clone, 'checkout', '-q', '-b', clone);
      await box.git(clone, 'add', '.');
      await box.git(clone, 'commit', '-qm', 'both');
    }
    await Promise.all(['alice', 'bob'].map((clone) => box.git(clone, 'push', '-q', 'origin', clone)));
    expect(await soundOnServer(`lfs/${folder}`)).toHaveLength(14);
  });
});

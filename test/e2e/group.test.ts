import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { expectSameWorktree, soundStore } from './objects.ts';
import { IS_ROOT, User } from './user.ts';

const GROUP = 4100;

describe.skipIf(!IS_ROOT)('a folder of a group', () => {
  let share: Sandbox;
  let alice: User;
  let bob: User;
  let store: string;
  beforeEach(() => {
    share = new Sandbox();
    chmodSync(share.root, 0o755);
    // Each with a primary group of their own, and a umask that shuts everybody else out.
    alice = new User({ uid: 4001, gid: 4001, groups: [GROUP], umask: '077' });
    bob = new User({ uid: 4002, gid: 4002, groups: [GROUP], umask: '077' });
    store = share.path('store');
  });
  afterEach(() => {
    for (const box of [share, alice.box, bob.box]) box.remove();
  });

  async function team(): Promise<void> {
    await share.git('.', 'init', '-q', '--bare', '--shared=0666', 'remote.git');
    for (const user of [alice, bob]) await user.depot('.', 'install');
    await alice.git('.', 'clone', '-q', share.path('remote.git'), 'clone');
    await alice.git('clone', 'lfs', 'track', '*.bin');
    await alice.depot('clone', 'init', store);
    await commitAndPush(alice, 'of alice');
    await bob.depot('.', 'trust', store);
    await bob.git('.', 'clone', '-q', share.path('remote.git'), 'clone');
  }

  async function commitAndPush(user: User, name: string): Promise<void> {
    await user.sh('clone', `for n in 1 2 3 4 5 6 7 8; do echo "$n ${name}" > "$n ${name}.bin"; done; git add .`);
    await user.git('clone', 'commit', '-qm', name);
    await user.git('clone', 'push', '-q', 'origin', 'HEAD:main');
  }

  function expectEverythingGroupWritable(): void {
    for (const path of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
      const stats = statSync(join(store, path));
      expect([path, stats.gid]).toEqual([path, GROUP]);
      expect([path, stats.mode & 0o7777]).toEqual([path, stats.isDirectory() ? 0o2770 : 0o660]);
    }
  }

  async function bothPushAndClone(): Promise<void> {
    await team();
    expectSameWorktree(alice.box.path('clone'), bob.box.path('clone'));
    await commitAndPush(bob, 'of bob');
    await alice.git('clone', 'pull', '-q', 'origin', 'main');
    expectSameWorktree(alice.box.path('clone'), bob.box.path('clone'));
    await commitAndPush(alice, 'of alice again');
    expect(soundStore(store)).toHaveLength(24);
    expectEverythingGroupWritable();
  }

  test('that is made the store: two people with umask 077 push and clone, and it stays the group’s', async () => {
    mkdirSync(store);
    chownSync(store, 4001, GROUP);
    chmodSync(store, 0o2770);
    await bothPushAndClone();
  });

  test('in which the store is made: two people with umask 077 push and clone, and it stays the group’s', async () => {
    mkdirSync(share.path('of the group'));
    chownSync(share.path('of the group'), 0, GROUP);
    chmodSync(share.path('of the group'), 0o2770);
    store = share.path('of the group/store');
    await bothPushAndClone();
  });

  test('one heals the damaged object of another', async () => {
    mkdirSync(store);
    chownSync(store, 4001, GROUP);
    chmodSync(store, 0o2770);
    await team();
    const [oid = ''] = soundStore(store);
    await alice.sh('.', `cd '${store}' && printf wrong > ${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`);
    await bob.git('clone', 'lfs', 'push', '--all', 'origin');
    expect(soundStore(store)).toContain(oid);
    expectEverythingGroupWritable();
  });
});

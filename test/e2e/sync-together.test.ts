import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, type Sandbox } from '../sandbox.ts';
import { expectSameWorktree, oidOf, soundStore } from './objects.ts';
import { spoolsIn, waitingIn } from './spools.ts';
import { KINDS, Machines, reportOf } from './sync-machines.ts';

/** Two computers that sync at the same moment. */
describe.each(KINDS)('in %s', (kind) => {
  let machines: Machines;
  let alice: Sandbox;
  let bob: Sandbox;
  beforeEach(async () => {
    machines = await Machines.start(kind);
    ({ alice, bob } = machines);
  });
  afterEach(() => machines.end());

  const sync = (box: Sandbox, clone: string, ...args: string[]) => box.run(PROGRAM, ['sync', ...args], { cwd: clone });
  const syncBoth = () => Promise.all([sync(alice, 'alice'), sync(bob, 'bob')]);

  /** Writes and commits files; gives the oids. */
  async function commit(box: Sandbox, clone: string, name: string, contents: Buffer[]): Promise<string[]> {
    for (const [index, content] of contents.entries()) box.write(`${clone}/${name}/${index}.bin`, content);
    await box.git(clone, 'add', '.');
    await box.git(clone, 'commit', '-qm', name);
    return contents.map(oidOf);
  }

  const some = (count: number) => Array.from({ length: count }, (_, index) => randomBytes(500 + index * 40));

  test('200 objects that wait on each, half of them the same on both, are all delivered, each once', async () => {
    const shared = some(100);
    const oids = new Set([
      ...(await commit(alice, 'alice', 'shared', shared)),
      ...(await commit(alice, 'alice', 'of alice', some(100))),
      ...(await commit(bob, 'bob', 'shared', shared)),
      ...(await commit(bob, 'bob', 'of bob', some(100))),
    ]);
    expect(oids.size).toBe(300);
    await alice.depot('alice', 'offline', 'on');
    await bob.depot('bob', 'offline', 'on');
    await alice.git('alice', 'push', '-q', 'origin', 'main');
    await bob.git('bob', 'push', '-q', 'origin', 'main:of-bob');
    expect(waitingIn(alice.path('alice/.git'))).toHaveLength(200);
    expect(waitingIn(bob.path('bob/.git'))).toHaveLength(200);
    expect(soundStore(machines.store.folder)).toEqual([]);

    for (const result of await syncBoth()) {
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(result.stdout).toMatch(/^Delivered to .*: \d+ objects \(.*\)(; \d+ (was|were) there already)?\.\n/);
      expect(result.stdout).toContain('Offline mode is still on');
    }
    expect(soundStore(machines.store.folder)).toEqual([...oids].sort());
    for (const gitDir of [alice.path('alice/.git'), bob.path('bob/.git')]) {
      expect(spoolsIn(gitDir)).toHaveLength(1);
      expect(waitingIn(gitDir)).toEqual([]);
    }
    expectSameWorktree(alice.path('alice'), await machines.freshClone('main'));
    expectSameWorktree(bob.path('bob'), await machines.freshClone('of-bob'));
    const again = await sync(alice, 'alice');
    expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/^Nothing waits on this computer\.\n/)]);
  });

  test('a mirror that lacks 200 objects gets them from both, one of which has them from the store only', async () => {
    const mirror = machines.place('mirror');
    await alice.depot('alice', 'mirror', 'add', mirror.location);
    const oids = (await commit(alice, 'alice', 'files', some(200))).sort();
    await alice.git('alice', 'push', '-q', 'origin', 'main');
    await bob.depot('.', 'trust', mirror.location);
    await bob.ok('git', ['pull', '-q', 'origin', 'main'], { cwd: 'bob', env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    expect(soundStore(mirror.folder)).toEqual([]);

    for (const result of await syncBoth()) {
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(result.stdout).toContain(`Store ${machines.store.location}: has all 200 objects.\n`);
      expect(result.stdout).toMatch(/\nMirror .*: (got \d+ objects? \(.*\), and )?has all 200 objects( now)?\.\n$/);
    }
    for (const place of [machines.store, mirror]) expect(soundStore(place.folder)).toEqual(oids);
    const again = await sync(bob, 'bob', '--json');
    expect(again).toMatchObject({ status: 0, stderr: '' });
    expect(reportOf(again)).toMatchObject({
      deliveries: [],
      objects: 200,
      places: [
        { brought: 0, failed: [] },
        { brought: 0, failed: [] },
      ],
      nowhere: [],
    });
  });
});

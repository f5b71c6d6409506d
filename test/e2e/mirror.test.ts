import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Result } from '../sandbox.ts';
import { isInstalled } from '../servers/installed.ts';
import { countIn, heldBy, MirrorTeam, type Spot, type SpotKind } from './mirror-team.ts';
import { expectSameWorktree, soundObjects } from './objects.ts';
import { CAN_LOOK, until } from './processes.ts';

const PAIRS: [SpotKind, SpotKind][] = [
  ['a folder', 'a folder'],
  ['Apache', 'a folder'],
  ['a folder', 'Apache'],
  ['Apache', 'Apache'],
];
const MISSING = isInstalled('apache') ? [] : ['Apache'];

describe.each(PAIRS)('with %s for the store and %s for its mirror', (storeKind, mirrorKind) => {
  const skips = !CAN_LOOK || MISSING.includes(storeKind) || MISSING.includes(mirrorKind);
  let team: MirrorTeam | undefined;
  afterEach(async () => {
    await team?.end();
    team = undefined;
  });

  async function start(settings: Record<string, string> = { 'depot.write': 'all' }): Promise<MirrorTeam> {
    team = await MirrorTeam.start(storeKind, mirrorKind, settings);
    return team;
  }

  /** The remote has nothing of the push, and its user was told why and what to do. */
  async function expectPushFailed({ status, stderr }: Result, spot: Spot): Promise<void> {
    expect(status).toBe(1);
    expect(stderr).toMatch(/: \[3\] cannot [^\n]+\nhint: \S/);
    expect(stderr).toContain(spot.location);
    expect(stderr).toContain('failed to push some refs');
    const { box } = team!;
    expect(
      (await box.run('git', ['rev-parse', '-q', '--verify', 'refs/heads/main'], { cwd: 'remote.git' })).stdout,
    ).toBe('');
  }

  async function expectPushed({ box }: MirrorTeam): Promise<void> {
    expect(await box.git('remote.git', 'rev-parse', 'main')).toBe(await box.git('alice', 'rev-parse', 'HEAD'));
  }

  async function expectClone({ box }: MirrorTeam, result: Promise<Result>): Promise<void> {
    const { status, stderr } = await result;
    expect([status, stderr]).toEqual([0, '']);
    expectSameWorktree(box.path('alice'), box.path('bob'));
    rmSync(box.path('bob'), { recursive: true });
  }

  test.skipIf(skips)('a push goes to both, and each alone has all of it for a clone', async () => {
    const { store, mirror } = await start();
    const oids = await team!.commit(10);
    expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
    for (const spot of [store, mirror]) expect(heldBy(spot)).toEqual(oids);
    for (const spot of [store, mirror]) {
      await spot.takeAway();
      await expectClone(team!, team!.clone());
      await spot.bringBack();
    }
  });

  test.skipIf(skips)('a push without the store fails, and without the mirror does not', async () => {
    const { store, mirror } = await start();
    const oids = await team!.commit(3);
    await store.takeAway();
    await expectPushFailed(await team!.push(), store);
    await store.bringBack();
    await mirror.takeAway();
    expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
    await expectPushed(team!);
    expect(heldBy(store)).toEqual(oids);
    await mirror.bringBack();
    await store.takeAway();
    // What the mirror got of the push that failed is whole.
    expect(heldBy(mirror)).toEqual(oids);
  });

  test.skipIf(skips)('a store that goes away during a push fails it, and the next push completes it', async () => {
    const { store, mirror } = await start();
    const oids = await team!.commit(60, 300_000);
    const { result, members, hold, goOn } = team!.start('alice', 'push', '-q', 'origin', 'HEAD');
    await until('some objects are there', () => countIn(store.folder) >= 10);
    hold();
    expect(countIn(store.folder)).toBeLessThan(60);
    await store.takeAway();
    goOn();
    await expectPushFailed(await result, store);
    await until('all processes are gone', () => members().length === 0);
    await store.bringBack();
    expect(heldBy(store).length).toBeLessThan(60);
    expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
    await expectPushed(team!);
    for (const spot of [store, mirror]) expect(heldBy(spot)).toEqual(oids);
  });

  test.skipIf(skips)('with depot.quorum=1 either may be gone', async () => {
    const { store, mirror } = await start({ 'depot.quorum': '1' });
    const before = await team!.commit(3);
    await store.takeAway();
    expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
    await expectPushed(team!);
    expect(heldBy(mirror)).toEqual(before);
    await store.bringBack();
    await mirror.takeAway();
    const after = await team!.commit(3);
    expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
    await expectPushed(team!);
    expect(heldBy(store)).toEqual(after);
    // Now each has what the other lacks.
    await mirror.bringBack();
    await expectClone(team!, team!.clone());
  });

  test.skipIf(skips)('with depot.quorum=2 neither may be gone', async () => {
    const { store, mirror } = await start({ 'depot.quorum': '2' });
    await team!.commit(3);
    for (const spot of [store, mirror]) {
      await spot.takeAway();
      await expectPushFailed(await team!.push(), spot);
      await spot.bringBack();
    }
    expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
    await expectPushed(team!);
  });

  test.skipIf(skips).each(['store', 'mirror'] as const)(
    'a %s that goes away during a clone of 500 objects does not cost it',
    async (which) => {
      const { box } = await start();
      await team!.commit(500, 20_000);
      expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
      const { result, members, hold, goOn } = team!.start('.', 'clone', '-q', 'remote.git', 'bob');
      const objects = box.path('bob/.git/lfs/objects');
      await until('some objects are there', () => countIn(objects) >= 100);
      hold();
      expect(countIn(objects)).toBeLessThan(500);
      await team![which].takeAway();
      goOn();
      await expectClone(team!, result);
      await until('all processes are gone', () => members().length === 0);
    },
  );

  test.skipIf(skips)('with both gone push, clone and fetch fail, say why, and leave no process', async () => {
    const { box, store, mirror } = await start();
    await team!.commit(20);
    expect(await team!.push()).toMatchObject({ status: 0, stderr: '' });
    await box.ok('git', ['clone', '-q', 'remote.git', 'carol'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    await team!.commit(20);
    for (const spot of [store, mirror]) await spot.takeAway();
    const runs: [string, string[], number][] = [
      ['alice', ['push', '-q', 'origin', 'HEAD'], 1],
      ['.', ['clone', '-q', 'remote.git', 'bob'], 128],
      ['carol', ['lfs', 'fetch'], 2],
    ];
    for (const [cwd, args, expected] of runs) {
      const { result, members } = team!.start(cwd, ...args);
      const { status, stderr } = await result;
      expect([args, status]).toEqual([args, expected]);
      expect(stderr).toMatch(/: \[3\] cannot [^\n]+\nhint: \S/);
      expect(stderr).toContain(store.location);
      if (cwd !== 'alice') expect(stderr).toContain(mirror.location);
      await until('all processes are gone', () => members().length === 0);
    }
    expect(soundObjects(box.path('carol/.git/lfs/objects'))).toEqual([]);
  });
});

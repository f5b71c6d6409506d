import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Result } from '../sandbox.ts';
import { isInstalled } from '../servers/installed.ts';
import { MirrorTeam, type Spot } from './mirror-team.ts';
import { expectSameWorktree, objectFile } from './objects.ts';

const NO_APACHE = !isInstalled('apache');

/** Where an object is, and what a clone is told when it is not there. The store is a folder, and the mirror on Apache. */
describe.skipIf(NO_APACHE)(`an object${NO_APACHE ? ': apache is not installed' : ''}`, () => {
  let team: MirrorTeam;
  let store: Spot;
  let mirror: Spot;
  let oids: string[];
  beforeEach(async () => {
    team = await MirrorTeam.start('a folder', 'Apache', { 'depot.write': 'all' });
    ({ store, mirror } = team);
    oids = await team.commit(4);
    expect(await team.push()).toMatchObject({ status: 0, stderr: '' });
  });
  afterEach(() => team?.end());

  const lose = (spot: Spot, oid: string): void => rmSync(objectFile(spot.folder, oid));

  /** The first line of the message for the object, after its code. */
  async function toldOf(oid: string, clone = team.clone()): Promise<{ code: number; line: string; hint: string }> {
    const { status, stderr }: Result = await clone;
    expect(status).toBe(128);
    expect(stderr).toContain(`cannot fetch ${oid}`);
    const [, code, line = '', hint = ''] = /: \[(\d)\] (cannot [^\n]*)\nhint: ([^\n]*)/.exec(stderr) ?? [];
    rmSync(team.box.path('bob'), { recursive: true, force: true });
    return { code: Number(code), line, hint };
  }

  test('that is in one of two places only is found, whichever that is', async () => {
    lose(store, oids[0]!);
    lose(mirror, oids[1]!);
    expect(await team.clone()).toMatchObject({ status: 0, stderr: '' });
    expectSameWorktree(team.box.path('alice'), team.box.path('bob'));
  });

  test('that is in neither is absent, and both are named', async () => {
    for (const spot of [store, mirror]) lose(spot, oids[0]!);
    const { code, line, hint } = await toldOf(oids[0]!);
    expect(code).toBe(4);
    for (const { location } of [store, mirror]) expect(line).toContain(`${location}: the store does not have it`);
    expect(hint).toContain(`git lfs push --object-id origin ${oids[0]}`);
  });

  test.each([
    ['the store', 'the mirror'],
    ['the mirror', 'the store'],
  ])('that %s lacks is not called absent while %s cannot be asked', async (which) => {
    const [lacking, gone] = which === 'the store' ? [store, mirror] : [mirror, store];
    lose(lacking, oids[0]!);
    await gone.takeAway();
    const { code, line, hint } = await toldOf(oids[0]!);
    expect(code).toBe(3);
    expect(line).toContain(`${lacking.location}: the store does not have it`);
    expect(line).toContain(`${gone.location}: `);
    expect(hint).not.toContain('push');
    await gone.bringBack();
    expect(await team.clone()).toMatchObject({ status: 0, stderr: '' });
    expectSameWorktree(team.box.path('alice'), team.box.path('bob'));
  });

  test('is not called absent while its mirror has a damaged marker, which is named', async () => {
    lose(store, oids[0]!);
    team.box.write(`${mirror.folder}/lfs-depot.json`, 'not a marker');
    const { code, line, hint } = await toldOf(oids[0]!);
    expect(code).toBe(5);
    expect(line).toContain(`${mirror.location}: its lfs-depot.json is damaged`);
    expect(hint).toContain('lfs-depot init --adopt');
  });

  test('is not called absent while its mirror is not trusted, and is found once it is', async () => {
    lose(store, oids[0]!);
    await team.box.depot('.', 'trust', '--remove', mirror.location);
    const { code, line, hint } = await toldOf(oids[0]!);
    expect(code).toBe(2);
    expect(line).toContain(`${store.location}: the store does not have it`);
    expect(line).toContain(`${mirror.location}: depot.mirror in .lfsdepot names it, and you have not allowed`);
    expect(hint).toContain(`lfs-depot trust ${mirror.location}`);
    await team.box.depot('alice', 'trust', '--mirrors');
    expect(await team.clone()).toMatchObject({ status: 0, stderr: '' });
  });

  test('is looked for in one place alone with LFS_DEPOT_LOCATION', async () => {
    lose(store, oids[0]!);
    const alone = (location: string): Promise<Result> =>
      team.box.run('git', ['clone', '-q', 'remote.git', 'bob'], { env: { LFS_DEPOT_LOCATION: location } });
    const { code, line } = await toldOf(oids[0]!, alone(store.location));
    expect(code).toBe(4);
    expect(line).not.toContain(mirror.location);
    await store.takeAway();
    expect(await alone(mirror.location)).toMatchObject({ status: 0, stderr: '' });
    expectSameWorktree(team.box.path('alice'), team.box.path('bob'));
  });
});

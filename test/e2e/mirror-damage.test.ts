import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isInstalled } from '../servers/installed.ts';
import { heldBy, MirrorTeam, type Spot, type SpotKind } from './mirror-team.ts';
import { expectSameWorktree, objectFile, oidOf } from './objects.ts';
import { IS_ROOT, User } from './user.ts';

const NO_APACHE = !isInstalled('apache');

/** Of each pair the first is nearer, and asked first, whichever is the store. */
const PAIRS: [SpotKind, SpotKind][] = [
  ['a folder', 'Apache'],
  ['Apache', 'a folder'],
  ['Apache', 'Apache far away'],
  ['Apache far away', 'Apache'],
];
const DAMAGES: [string, (good: Buffer) => Buffer][] = [
  ['a bit flipped', (good) => Buffer.concat([Buffer.from([good[0]! ^ 1]), good.subarray(1)])],
  ['cut short', (good) => good.subarray(0, 400)],
  ['empty', () => Buffer.alloc(0)],
];
const isNearer = (kind: SpotKind, other: SpotKind): boolean => kind === 'a folder' || other === 'Apache far away';

let team: MirrorTeam;
let store: Spot;
let mirror: Spot;
let oids: string[];
afterEach(async () => {
  await team?.end();
});

/** Both places have the three objects of Alice's. */
async function start(storeKind: SpotKind, mirrorKind: SpotKind): Promise<void> {
  team = await MirrorTeam.start(storeKind, mirrorKind, { 'depot.write': 'all' });
  ({ store, mirror } = team);
  oids = await team.commit(3);
  expect(await team.push()).toMatchObject({ status: 0, stderr: '' });
  for (const spot of [store, mirror]) expect(heldBy(spot)).toEqual(oids);
}

function damage(spot: Spot, oid: string, how: (good: Buffer) => Buffer): void {
  const file = objectFile(spot.folder, oid);
  writeFileSync(file, how(readFileSync(file)));
}

function isGood(spot: Spot, oid: string): boolean {
  return oidOf(readFileSync(objectFile(spot.folder, oid))) === oid;
}

/** A clone as its user sees it in a terminal, after which all is right. What the terminal showed is returned. */
async function cloneInTerminal(...settings: string[]): Promise<string> {
  const options = settings.map((setting) => `-c '${setting}'`).join(' ');
  const line = `git ${options} clone remote.git bob`;
  const { status, stdout } = await team.box.run('script', ['-qec', line, '/dev/null']);
  expect([status, stdout]).toEqual([0, stdout]);
  expectSameWorktree(team.box.path('alice'), team.box.path('bob'));
  rmSync(team.box.path('bob'), { recursive: true });
  return stdout;
}

const nameIn = (spot: Spot, oid: string): string => `the copy of ${oid.slice(0, 10)} in ${spot.location} is damaged`;

describe.skipIf(NO_APACHE)(`a damaged copy${NO_APACHE ? ': apache is not installed' : ''}`, () => {
  test.each(PAIRS)(
    'in the nearer of %s and %s is told of on the terminal and healed',
    async (storeKind, mirrorKind) => {
      await start(storeKind, mirrorKind);
      const [near, far] = isNearer(storeKind, mirrorKind) ? [store, mirror] : [mirror, store];
      for (const [what, how] of DAMAGES) {
        damage(near, oids[1]!, how);
        const shown = await cloneInTerminal();
        expect([what, shown]).toEqual([
          what,
          expect.stringContaining(`lfs-depot: ${nameIn(near, oids[1]!)}: healed with`),
        ]);
        expect(shown).toContain(`healed with the one of ${far.location}`);
        for (const spot of [near, far]) expect([what, heldBy(spot)]).toEqual([what, oids]);
      }
      // A copy that nobody needs is not looked at.
      damage(far, oids[1]!, DAMAGES[0]![1]);
      expect(await cloneInTerminal()).not.toContain('is damaged');
      expect(isGood(far, oids[1]!)).toBe(false);
    },
  );

  test('in the second of three places is healed from the third, and the first, which lacks it, is left alone', async () => {
    await start('a folder', 'Apache');
    const third = await team.spot('Apache far away', 'third');
    const { box } = team;
    // Named by Bob alone, in his own configuration, where it needs no trust.
    const setting = `depot.mirror=${third.location}`;
    await box.ok('git', ['clone', '-q', 'remote.git', 'carol']);
    await box.depot('carol', 'mirror', 'add', third.location);
    await box.git('carol', 'lfs', 'push', '--all', 'origin');
    expect(heldBy(third)).toEqual(oids);
    await box.depot('.', 'trust', '--remove', third.location);
    for (const [what, how] of DAMAGES) {
      rmSync(objectFile(store.folder, oids[1]!), { force: true });
      damage(mirror, oids[1]!, how);
      const shown = await cloneInTerminal(setting);
      expect([what, shown]).toEqual([what, expect.stringContaining(`${nameIn(mirror, oids[1]!)}: healed with`)]);
      expect(heldBy(mirror)).toEqual(oids);
      expect(existsSync(objectFile(store.folder, oids[1]!))).toBe(false);
    }
  });

  test('in both places is an error that names both, and who has a good one heals them by a push', async () => {
    await start('a folder', 'Apache');
    for (const spot of [store, mirror]) damage(spot, oids[1]!, DAMAGES[0]![1]);
    const { status, stderr } = await team.clone();
    expect(status).toBe(128);
    rmSync(team.box.path('bob'), { recursive: true });
    expect(stderr).toContain(`: [5] cannot fetch ${oids[1]}: ${store.location}: `);
    expect(stderr).toContain(`; ${mirror.location}: `);
    const [, command = 'no command'] = /whoever has a good copy runs: (git .*)$/m.exec(stderr) ?? [];
    await team.box.sh('alice', command);
    await cloneInTerminal();
    expect(isGood(store, oids[1]!)).toBe(true);
  });
});

test('status and sync do not see damage that keeps the size; the push of docs/keeps-working.md heals every place', async () => {
  await start('a folder', 'a folder');
  for (const spot of [store, mirror]) for (const oid of oids) damage(spot, oid, DAMAGES[0]![1]);
  const { box } = team;
  expect(await box.depot('alice', 'status', '--check')).toBe('');
  expect(await box.depot('alice', 'sync')).not.toContain('got');
  expect(isGood(mirror, oids[0]!)).toBe(false);
  const guide = readFileSync(join(import.meta.dirname, '../../docs/keeps-working.md'), 'utf8');
  const [, command = 'no command'] = /`(git [^`]*lfs push --all origin)`/.exec(guide) ?? [];
  await box.sh('alice', command);
  for (const spot of [store, mirror]) for (const oid of oids) expect(isGood(spot, oid)).toBe(true);

  damage(mirror, oids[0]!, DAMAGES[0]![1]);
  rmSync(objectFile(mirror.folder, oids[0]!));
  await box.depot('alice', 'sync');
  expect(isGood(mirror, oids[0]!)).toBe(true);
});

test('of two folders the one that is asked first is healed, and every clone is right', async () => {
  await start('a folder', 'a folder');
  for (const [what, how] of DAMAGES) {
    damage(store, oids[0]!, how);
    damage(mirror, oids[1]!, how);
    // One process asks the same folder first for all; which that is, is not said.
    const shown = await cloneInTerminal('lfs.concurrenttransfers=1');
    const healed = [isGood(store, oids[0]!), isGood(mirror, oids[1]!)];
    const told = [nameIn(store, oids[0]!), nameIn(mirror, oids[1]!)].map((name) => shown.includes(`${name}: healed`));
    expect([what, healed]).toEqual([what, told]);
    expect([what, healed.filter(Boolean)]).toEqual([what, [true]]);
    for (const spot of [store, mirror]) {
      for (const oid of oids) writeFileSync(objectFile(spot.folder, oid), goodBytes(oid));
    }
  }
});

function goodBytes(oid: string): Buffer {
  return readFileSync(objectFile(team.box.path('alice/.git/lfs/objects'), oid));
}

test.skipIf(!IS_ROOT || NO_APACHE)('a damaged copy that may not be healed does not cost the clone', async () => {
  await start('a folder', 'Apache');
  const bob = new User({ uid: 4001, gid: 4001 });
  try {
    chmodSync(team.box.root, 0o755);
    damage(store, oids[1]!, DAMAGES[0]![1]);
    const bytes = readFileSync(objectFile(store.folder, oids[1]!));
    for (const path of ['', ...readdirSync(store.folder, { recursive: true, encoding: 'utf8' })]) {
      chmodSync(join(store.folder, path), 0o555);
    }
    await bob.depot('.', 'install');
    await bob.git('.', 'config', '--global', 'credential.helper', '!f() { echo username=u; echo password=p; }; f');
    for (const { location } of [store, mirror]) await bob.depot('.', 'trust', location);
    const line = `git clone ${team.box.path('remote.git')} clone`;
    const { status, stdout } = await bob.run('script', ['-qec', line, '/dev/null']);
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining(`${nameIn(store, oids[1]!)}, and could not be healed: `),
    ]);
    expectSameWorktree(team.box.path('alice'), bob.box.path('clone'));
    expect(readFileSync(objectFile(store.folder, oids[1]!)).equals(bytes)).toBe(true);
  } finally {
    bob.box.remove();
  }
});

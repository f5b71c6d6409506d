import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf, soundObjects, soundStore } from './objects.ts';
import { spoolsIn, waitingIn } from './spools.ts';
import { reportOf } from './sync-machines.ts';

// What waits on this computer, when not all is as it was when it began to: the store has another name, or another place
// follows it; the spool itself is damaged.

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

const waiting = (): string[] => waitingIn(box.path('alice/.git'));
const sync = (...args: string[]): Promise<Result> => box.run(PROGRAM, ['sync', ...args], { cwd: 'alice' });

/** An object of Alice's, pushed to wait here; its oid. */
async function spool(name: string): Promise<string> {
  const oid = oidOf(readFileSync(box.write(`alice/${name}`, 1500)));
  await box.git('alice', 'config', 'depot.offline', 'true');
  await box.push('alice');
  await box.git('alice', 'config', '--unset', 'depot.offline');
  expect(waiting()).toContain(oid);
  return oid;
}

describe('after the location has changed', () => {
  test('in its spelling only, what waits is found and delivered, as one', async () => {
    mkdirSync(box.path('mnt/team'), { recursive: true });
    await box.git('.', 'config', '--global', 'depot.mount', `//files.example.com/team=${box.path('mnt/team')}`);
    await box.team('//files.example.com/team/art');
    const oids = [await spool('a.bin')];
    await box.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', 'depot:://FILES.example.com/Team/art/');
    oids.push(await spool('b.bin'));
    expect(spoolsIn(box.path('alice/.git'))).toHaveLength(1);
    expect(waiting()).toEqual(oids.sort());
    const { status, stdout } = await sync();
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Delivered to \/\/\S+: 2 objects \(3\.0 KB\)\.\n$/)]);
    expect(soundStore(box.path('mnt/team/art'))).toEqual(oids);
  });

  test('to another store, an object that only waits here is checked out, and what sync says brings it there', async () => {
    const store = await box.team();
    const moved = box.path('moved');
    const oid = await spool('a.bin');
    renameSync(store, `${store} (gone for good)`);
    await box.depot('alice', 'init', moved);
    await box.push('alice');
    await box.git('alice', 'rm', '-q', 'a.bin');
    await box.push('alice');
    const days = ['fetchrecentrefsdays', 'fetchrecentcommitsdays', 'pruneoffsetdays'];
    await box.git('alice', ...days.flatMap((name) => ['-c', `lfs.${name}=0`]), 'lfs', 'prune');
    expect(soundObjects(box.path('alice/.git/lfs/objects'))).toEqual([]);

    const { status, stdout } = await sync();
    expect([status, stdout]).toEqual([1, expect.stringContaining(`✗ What waits here for ${store} stays here: `)]);
    const [, advice = 'no advice'] = /→ (git lfs fetch .*)$/m.exec(stdout) ?? [];
    await box.sh('alice', advice);
    expect(soundStore(moved)).toEqual([oid]);
    rmSync(box.path('alice/.git/lfs/objects'), { recursive: true });
    renameSync(moved, `${moved} (away)`);
    await box.git('alice', 'checkout', '-q', 'HEAD~1');
    expect(oidOf(readFileSync(box.path('alice/a.bin')))).toBe(oid);
    expect(waiting()).toEqual([oid]);
  });

  test('to a store that is not trusted yet, the old one still gets what waits for it, and sync fails', async () => {
    const store = await box.team();
    const oid = await spool('a.bin');
    const evil = box.path('evil');
    await box.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', `depot::${evil}`);
    renameSync(store, `${store} (away)`);
    expect(reportOf(await sync('--json'))).toMatchObject({
      deliveries: [{ location: store, error: expect.stringContaining('not mounted') }],
      error: expect.stringContaining(`will not open ${evil}`),
    });
    renameSync(`${store} (away)`, store);
    const { status, stdout } = await sync();
    expect([status, stdout]).toEqual([
      1,
      expect.stringMatching(
        /^Delivered to .*store: 1 object \(1\.5 KB\)\.\n✗ The store of this repository is not used: /,
      ),
    ]);
    expect(stdout).toContain(`lfs-depot trust ${evil}\n`);
    expect(existsSync(evil)).toBe(false);
    expect(soundStore(store)).toEqual([oid]);
    expect(waiting()).toEqual([]);
    // Nothing is left to deliver, and it is not well for all that.
    const again = await sync();
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining(`will not open ${evil}`)]);
  });
});

describe('a spool whose note of the place is lost', () => {
  let store: string;
  let oid: string;
  let note: string;
  beforeEach(async () => {
    store = await box.team();
    oid = await spool('a.bin');
    note = join(spoolsIn(box.path('alice/.git'))[0]!, 'location');
  });

  const LOSSES: [string, () => void][] = [
    ['gone', () => rmSync(note)],
    ['empty', () => writeFileSync(note, '')],
  ];

  test.each(LOSSES)('that is %s is told by every command, until somebody writes it again', async (_, lose) => {
    await box.depot('alice', 'init', box.path('moved'));
    lose();
    const { status, stdout } = await sync();
    expect([status, stdout]).toEqual([1, expect.stringContaining(`✗ What waits here for an unknown place: ${note} `)]);
    expect(stdout).toContain('→ write the location of that store into it');
    expect(stdout).toContain('    When they are there, remove ');
    expect(reportOf(await sync('--json')).deliveries).toEqual([
      { location: expect.stringContaining(note), error: expect.any(String) },
    ]);
    expect(await box.depot('alice', 'offline')).toMatch(
      /^Waiting on this computer for an unknown place: .*: 1 object \(1\.5 KB\), the oldest since /m,
    );
    expect(await box.depot('alice', 'status')).toContain('an unknown place');
    const doctor = await box.run(PROGRAM, ['doctor'], { cwd: 'alice' });
    expect([doctor.status, doctor.stdout]).toEqual([
      1,
      expect.stringContaining('✗ offline: objects wait on this computer for an unknown place: '),
    ]);

    writeFileSync(note, `${store}\n`);
    expect(await sync()).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`Delivered to ${store}: 1 object (1.5 KB).\n`),
    });
    expect(soundStore(store)).toEqual([oid]);
  });

  test.each(LOSSES)(
    'that is %s is known by the name of its folder, where that is of this repository',
    async (_, lose) => {
      lose();
      expect(await sync()).toMatchObject({ status: 0, stdout: `Delivered to ${store}: 1 object (1.5 KB).\n` });
      expect(soundStore(store)).toEqual([oid]);
    },
  );

  test('has it again after the next push that waits', async () => {
    rmSync(note);
    await spool('b.bin');
    expect(readFileSync(note, 'utf8')).toBe(`${store}\nstore\n`);
    expect(await box.depot('alice', 'offline')).toContain(`for ${store}: 2 objects (3.0 KB)`);
  });
});

describe('a damaged copy that waits', () => {
  let store: string;
  let oid: string;
  let copy: string;
  beforeEach(async () => {
    store = await box.team();
    oid = await spool('a.bin');
    copy = objectFile(spoolsIn(box.path('alice/.git'))[0]!, oid);
  });

  const own = (): string => box.path('alice/.git/lfs/objects');
  const DAMAGES: [string, () => void][] = [
    ['cut off', () => writeFileSync(copy, readFileSync(copy).subarray(0, 100))],
    ['changed', () => writeFileSync(copy, Buffer.alloc(1500))],
  ];

  test.each(DAMAGES)('(%s) is dropped where the store has a good one', async (_, damage) => {
    const there = objectFile(store, oid);
    cpSync(objectFile(own(), oid), there);
    rmSync(own(), { recursive: true });
    damage();
    const { status, stderr } = await sync();
    expect([status, stderr]).toEqual([0, '']);
    expect(existsSync(copy)).toBe(false);
    expect(soundStore(store)).toEqual([oid]);
    expect(readdirSync(box.path('alice/.git/lfs/tmp'))).toEqual([]);
    expect(await sync()).toMatchObject({ status: 0, stdout: 'Nothing waits on this computer.\n' });
  });

  test.each(DAMAGES)('(%s) is done without where git-lfs has a good one here', async (_, damage) => {
    damage();
    const { status, stderr } = await sync();
    expect([status, stderr]).toEqual([0, '']);
    expect(existsSync(copy)).toBe(false);
    expect(soundStore(store)).toEqual([oid]);
  });

  test.each(DAMAGES)('(%s) is kept and told of where there is no good one', async (_, damage) => {
    rmSync(own(), { recursive: true });
    damage();
    const { status, stdout } = await sync();
    expect([status, stdout]).toEqual([
      1,
      expect.stringContaining(`the copy that waits here, ${copy}, is kept as it is`),
    ]);
    expect(existsSync(copy)).toBe(true);
    expect(soundStore(store)).toEqual([]);
  });
});

describe('offline auto', () => {
  const COUNT = 20;

  async function commit(): Promise<string[]> {
    const files = Array.from({ length: COUNT }, (_, index) => box.write(`alice/${index}.bin`, 1000 + index));
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'objects');
    return files.map((file) => oidOf(readFileSync(file))).sort();
  }

  test('with too few places in reach, the one that is gets every object of the push', async () => {
    const store = await box.team();
    const mirror = box.path('mirror');
    await box.depot('alice', 'mirror', 'add', mirror);
    await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.quorum', '2');
    await box.push('alice');
    await box.depot('alice', 'offline', 'auto');
    renameSync(mirror, `${mirror} (away)`);
    const oids = await commit();
    const push = ['-qec', 'git push -q origin HEAD', '/dev/null'];
    const shown = await box.ok('script', push, { cwd: 'alice', env: { TERM: 'dumb' } });
    expect(shown).toContain('lfs-depot: too few places are in reach: objects are kept on this computer until ');
    expect(shown).not.toContain(`${store} is out of reach`);
    expect(soundStore(store)).toEqual(oids);
    expect(waiting()).toEqual(oids);
    renameSync(`${mirror} (away)`, mirror);
    expect((await sync()).status).toBe(0);
    expect(waiting()).toEqual([]);
    for (const place of [store, mirror]) expect(soundStore(place)).toEqual(oids);
  });

  test.each([
    ['CI=true', 'auto', { CI: 'true' }, 0],
    ['CI=1', 'auto', { CI: '1' }, 0],
    ['CI=false', 'auto', { CI: 'false' }, COUNT],
    ['CI=true', 'on', { CI: 'true' }, COUNT],
  ])('with %s and offline %s: a CI job keeps nothing here that it was not told to', async (_, mode, env, kept) => {
    const store = await box.team();
    await box.depot('alice', 'offline', mode);
    renameSync(store, `${store} (away)`);
    await commit();
    const { status, stderr } = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice', env });
    if (kept > 0) {
      expect([status, stderr]).toEqual([0, '']);
    } else {
      expect([status, stderr]).toEqual([1, expect.stringContaining(`cannot open ${store}: not mounted`)]);
      expect(spoolsIn(box.path('alice/.git'))).toEqual([]);
    }
    expect(waiting()).toHaveLength(kept);
  });
});

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, objectFile, oidOfFile, soundObjects, soundStore } from './objects.ts';
import { CAN_LOOK, sessionMembers, until } from './processes.ts';
import { spoolsIn, waitingIn } from './spools.ts';

/** Alice has pushed one object when the store goes away. */
let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  box.write('alice/first.bin', 500);
  await box.push('alice');
});
afterEach(() => box.remove());

const goAway = (): void => renameSync(store, `${store} (away)`);
const comeBack = (): void => renameSync(`${store} (away)`, store);
const waiting = (): string[] => waitingIn(box.path('alice/.git'));

/** Three commits, each pushed by itself: small objects, a large one, and one that comes twice. */
async function pushThree(): Promise<string[]> {
  box.write('alice/a.bin', 1000);
  box.write('alice/folder/b.bin', 3_000_000);
  await box.push('alice');
  for (let index = 0; index < 20; index++) box.write(`alice/c${index}.bin`, 100 + index);
  await box.push('alice');
  box.write('alice/d.bin', 2000);
  writeFileSync(box.path('alice/again.bin'), readFileSync(box.path('alice/a.bin')));
  await box.push('alice');
  const names = ['a.bin', 'folder/b.bin', 'd.bin', ...Array.from({ length: 20 }, (_, index) => `c${index}.bin`)];
  const oids = await Promise.all(names.map((name) => oidOfFile(box.path('alice', name))));
  return oids.sort();
}

async function expectCloneComplete(): Promise<void> {
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
}

describe.each(['auto', 'on'])('offline %s', (mode) => {
  beforeEach(() => box.depot('alice', 'offline', mode));

  test('three pushes without the store wait here, can be fetched, and a push later delivers all', async () => {
    goAway();
    const oids = await pushThree();
    expect(waiting()).toEqual(oids);
    expect(await box.git('.', '--git-dir=remote.git', 'log', '--format=%s', 'main')).toMatch(/^(change\n){4}start\n$/);
    expect(await box.depot('alice', 'offline')).toMatch(
      /Waiting on this computer for .*\/store: 23 objects \(3\.0 MB\), the oldest since \d{4}-\d\d-\d\d \d\d:\d\d\.\nTo deliver .*: lfs-depot sync/,
    );

    rmSync(box.path('alice/.git/lfs/objects'), { recursive: true });
    rmSync(box.path('alice/folder/b.bin'));
    await box.git('alice', 'checkout', '-q', 'folder/b.bin');
    expect(await oidOfFile(box.path('alice/folder/b.bin'))).toBeOneOf(oids);

    const colleague = await box.run('git', ['clone', '-q', 'remote.git', 'early']);
    expect(colleague.status).not.toBe(0);

    comeBack();
    await box.depot('alice', 'offline', 'off');
    box.write('alice/new.bin', 300);
    await box.push('alice');
    expect(waiting()).toEqual([]);
    expect(soundStore(store)).toHaveLength(25);
    await expectCloneComplete();
    expect(await box.depot('alice', 'offline')).toContain('Nothing waits on this computer.');
  });

  test('sync delivers what waits, twice is no harm, and a fresh clone is complete', async () => {
    goAway();
    const oids = await pushThree();
    const early = await box.run(PROGRAM, ['sync'], { cwd: 'alice' });
    expect(early.status).toBe(1);
    expect(early.stdout + early.stderr).toContain(store);
    expect(waiting()).toEqual(oids);
    comeBack();
    await box.depot('alice', 'sync');
    expect(waiting()).toEqual([]);
    expect(soundStore(store)).toHaveLength(24);
    await box.depot('alice', 'sync');
    expect(soundStore(store)).toHaveLength(24);
    await expectCloneComplete();
  });

  test('prune after such a push does not lose what waits', async () => {
    goAway();
    box.write('alice/a.bin', 1000);
    await box.push('alice');
    const oid = await oidOfFile(box.path('alice/a.bin'));
    await box.git('alice', 'rm', '-q', 'a.bin');
    await box.push('alice');
    const old = [
      '-c',
      'lfs.fetchrecentrefsdays=0',
      '-c',
      'lfs.fetchrecentcommitsdays=0',
      '-c',
      'lfs.pruneoffsetdays=0',
    ];
    await box.git('alice', ...old, 'lfs', 'prune');
    expect(soundObjects(box.path('alice/.git/lfs/objects'))).not.toContain(oid);
    expect(waiting()).toEqual([oid]);
    await box.git('alice', 'checkout', '-q', 'HEAD~1');
    expect(await oidOfFile(box.path('alice/a.bin'))).toBe(oid);
  });

  test('worktrees share one spool', async () => {
    await box.git('alice', 'worktree', 'add', '-q', '../linked');
    goAway();
    box.write('alice/a.bin', 1000);
    await box.push('alice');
    box.write('linked/b.bin', 2000);
    await box.push('linked');
    expect(waiting()).toHaveLength(2);
    expect(spoolsIn(box.path('alice/.git'))).toHaveLength(1);
    expect(await box.depot('linked', 'offline')).toContain('2 objects (3.0 KB)');
    comeBack();
    await box.git('linked', 'config', 'depot.offline', 'false');
    box.write('linked/c.bin', 3000);
    await box.push('linked');
    expect(waiting()).toEqual([]);
    expect(soundStore(store)).toHaveLength(4);
  });
});

test('offline on asks nothing of a store that is there, and git-lfs reports every object pushed', async () => {
  await box.depot('alice', 'offline', 'on');
  const before = soundStore(store);
  box.write('alice/a.bin', 1000);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  const env = { GIT_LFS_FORCE_PROGRESS: '1' };
  const { status, stdout, stderr } = await box.run('git', ['push', 'origin', 'HEAD'], { cwd: 'alice', env });
  expect(status).toBe(0);
  expect(stdout + stderr).toContain('100% (1/1), 1.0 KB');
  expect(soundStore(store)).toEqual(before);
  expect(waiting()).toEqual([await oidOfFile(box.path('alice/a.bin'))]);
});

test.each(['http://127.0.0.1:1/lfs', 'http://no-such-server.invalid/lfs', '//no-such-server.invalid/share/art'])(
  '%s, which does not answer, is out of reach for all processes of a push, and the objects wait',
  async (location) => {
    await box.depot('alice', 'offline', 'auto');
    await box.git('alice', 'config', 'lfs.url', `depot::${location}`);
    for (let index = 0; index < 20; index++) box.write(`alice/${index}.bin`, 1000 + index);
    await box.push('alice');
    expect(waiting()).toHaveLength(20);
    expect(await box.depot('alice', 'offline')).toContain(
      `Waiting on this computer for ${location}: 20 objects (20 KB)`,
    );
  },
);

test('without offline a push fails, and keeps nothing here', async () => {
  goAway();
  box.write('alice/a.bin', 1000);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  expect((await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' })).status).not.toBe(0);
  expect(spoolsIn(box.path('alice/.git'))).toEqual([]);
});

test('a submodule has a spool of its own', async () => {
  await box.git('.', 'init', '-q', '--bare', 'outer.git');
  await box.git('.', 'clone', '-q', 'outer.git', 'outer');
  await box.git('outer', 'submodule', '--quiet', 'add', box.path('remote.git'), 'art');
  await box.git('outer', 'commit', '-qm', 'submodule');
  await box.depot('.', 'offline', 'auto', '--global');
  goAway();
  box.write('outer/art/a.bin', 1000);
  await box.git('outer/art', 'checkout', '-q', 'main');
  await box.push('outer/art');
  expect(waitingIn(box.path('outer/.git/modules/art'))).toEqual([await oidOfFile(box.path('outer/art/a.bin'))]);
  expect(spoolsIn(box.path('outer/.git'))).toEqual([]);
  expect(await box.depot('outer', 'offline')).toContain('Nothing waits');
  expect(await box.depot('outer/art', 'offline')).toContain('1 object (1.0 KB)');
});

test('under the mount point of an absent share nothing is made, and the objects wait', async () => {
  await box.depot('alice', 'offline', 'auto');
  goAway();
  mkdirSync(store);
  box.write('alice/a.bin', 1000);
  await box.push('alice');
  expect(waiting()).toHaveLength(1);
  expect(() => soundStore(store)).toThrow();
});

test('what waits damaged is told at the next push, which succeeds, and healed by pushing the object again', async () => {
  await box.depot('alice', 'offline', 'auto');
  goAway();
  box.write('alice/a.bin', 1000);
  box.write('alice/b.bin', 2000);
  await box.push('alice');
  const oid = await oidOfFile(box.path('alice/a.bin'));
  const [spool] = spoolsIn(box.path('alice/.git'));
  const copy = objectFile(spool!, oid);
  writeFileSync(copy, 'damaged');
  comeBack();
  box.write('alice/c.bin', 3000);
  await box.push('alice');
  expect(soundStore(store)).toHaveLength(3);
  expect(readFileSync(copy, 'utf8')).toBe('damaged');
  await box.git('alice', 'lfs', 'push', '--object-id', 'origin', oid);
  expect(waiting()).toEqual([]);
  expect(soundStore(store)).toContain(oid);
});

describe.skipIf(!CAN_LOOK)('while a large object is delivered', () => {
  const SIZE = 300 * 1024 * 1024;
  const running: number[] = [];
  afterEach(() => {
    for (const pid of running.splice(0).flatMap(sessionMembers)) process.kill(pid, 'SIGKILL');
  });

  test('Ctrl-C ends every process, the object still waits, and the next push brings it', async () => {
    await box.depot('alice', 'offline', 'auto');
    goAway();
    truncateSync(box.write('alice/large.bin', 'the start'), SIZE);
    await box.push('alice');
    comeBack();
    box.write('alice/small.bin', 100);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'small');
    const push = ['push', '-q', 'origin', 'HEAD'];
    const { pid = 0 } = box.start('git', push, { cwd: 'alice', detached: true, stdio: 'ignore' });
    running.push(pid);
    const temp = join(store, 'tmp');
    await until('it is on its way', () =>
      readdirSync(temp).some(
        (name) => (statSync(join(temp, name), { throwIfNoEntry: false })?.size ?? 0) > 1024 * 1024,
      ),
    );
    process.kill(-pid, 'SIGINT');
    await until('all is gone', () => sessionMembers(pid).length === 0);
    const large = await oidOfFile(box.path('alice/large.bin'));
    expect(waiting()).toEqual([large]);
    expect(soundStore(store)).toHaveLength(2);
    // Whoever was ended has given back what it had claimed.
    await box.git('alice', ...push);
    expect(waiting()).toEqual([]);
    expect(soundStore(store)).toContain(large);
  });
});

describe('on a terminal', () => {
  /** Runs a line as if typed into a terminal; what that shows. */
  const typed = (line: string): Promise<string> =>
    box.ok('script', ['-qec', line, '/dev/null'], { cwd: 'alice', env: { TERM: 'dumb' } });

  async function commitSome(count: number): Promise<void> {
    for (let index = 0; index < count; index++) box.write(`alice/${count}-${index}.bin`, 40_000 + index);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'some');
  }

  test('a push that spools says so once, and the next that delivers says that', async () => {
    await box.depot('alice', 'offline', 'auto');
    goAway();
    await commitSome(40);
    const told = `lfs-depot: ${store} is out of reach: objects are kept on this computer until \`lfs-depot sync\` (colleagues cannot have them before)`;
    const shown = await typed('git push origin HEAD');
    expect(shown.split(told)).toHaveLength(2);
    // On a line of its own, whatever git-lfs's meter has written.
    expect(shown).toMatch(/(^|[\r\n])lfs-depot: /);
    expect(waiting()).toHaveLength(40);
    await commitSome(3);
    expect((await typed('git push origin HEAD')).split(told)).toHaveLength(2);

    comeBack();
    await commitSome(2);
    const delivering = await typed('git push origin HEAD');
    expect(delivering.split('lfs-depot: ')).toHaveLength(2);
    expect(delivering).toContain(`lfs-depot: delivering 43 objects (1.7 MB) that waited here for ${store}`);
    expect(waiting()).toEqual([]);
    expect(await typed('git push origin HEAD')).not.toContain('lfs-depot');
  });

  test('offline on says that it is on', async () => {
    await box.depot('alice', 'offline', 'on');
    await commitSome(2);
    expect(await typed('git push origin HEAD')).toContain(
      `lfs-depot: offline mode is on: objects for ${store} are kept on this computer until`,
    );
  });
});

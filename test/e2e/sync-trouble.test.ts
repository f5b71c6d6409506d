import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { isInstalled } from '../servers/installed.ts';
import { unmount } from '../unmount.ts';
import { oidOf, soundStore } from './objects.ts';
import { until } from './processes.ts';
import { reportOf } from './sync-machines.ts';
import { IS_ROOT, User } from './user.ts';
import { hurry, knowPassword } from './web-team.ts';

/** Mirrors that are there and do not take all that they lack. */
let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  chmodSync(box.root, 0o755);
  store = await box.team();
});
afterEach(() => box.remove());

const sync = (...args: string[]): Promise<Result> => box.run(PROGRAM, ['sync', ...args], { cwd: 'alice' });

/** Pushes new objects to the store; gives their oids. */
async function push(count: number, size: number): Promise<string[]> {
  const oids: string[] = [];
  for (let n = 0; n < count; n++) oids.push(oidOf(readFileSync(box.write(`alice/${n}.bin`, size))));
  await box.push('alice');
  return oids.sort();
}

describe.skipIf(!IS_ROOT)('a mirror on a small disk', () => {
  beforeEach(() => {
    mkdirSync(box.path('disk'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'depot-test', box.path('disk')]);
  });
  afterEach(() => unmount(box.path('disk')));

  test('gets what fits, says that it is full, and the rest when there is room', async () => {
    const full = box.path('disk/mirror');
    const second = box.path('second');
    await box.depot('alice', 'mirror', 'add', full);
    await box.depot('alice', 'mirror', 'add', second);
    writeFileSync(box.path('disk/ballast'), Buffer.alloc(2 * 1024 * 1024));
    const oids = await push(12, 300_000);
    const { status, stdout, stderr } = await sync();
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/disk\/mirror: got \d objects? \(.*\), and has \d of 12 objects now\.\n✗ cannot store /);
    expect(stdout).toMatch(/\n {4}→ .*\n {4}The same happened to \d+ more \(--json shows all\)\.\n/);
    expect(stdout.match(/no space left/g)).toHaveLength(1);
    expect(stdout).toContain(`Mirror ${second}: got 12 objects (3.6 MB), and has all 12 objects now.\n`);
    const there = soundStore(full);
    expect(there.length).toBeLessThan(12);
    expect(oids).toEqual(expect.arrayContaining(there));
    expect(soundStore(second)).toEqual(oids);

    rmSync(box.path('disk/ballast'));
    expect((await sync()).stdout).toMatch(/disk\/mirror: got \d+ objects .*, and has all 12 objects now\./);
    expect(soundStore(full)).toEqual(oids);
  });

  test('that one large object does not fit on gets the others', async () => {
    const mirror = box.path('disk/mirror');
    await box.depot('alice', 'mirror', 'add', mirror);
    box.write('alice/large.bin', 5 * 1024 * 1024);
    const oids = await push(6, 10_000);
    const { status, stdout } = await sync();
    expect(status).toBe(1);
    expect(stdout).toContain(`Mirror ${mirror}: got 6 objects (60 KB), and has 6 of 7 objects now.\n✗ cannot store `);
    expect(soundStore(mirror)).toEqual(oids);
  });
});

describe.skipIf(!IS_ROOT)('a mirror that somebody may only read', () => {
  let bob: User;
  beforeEach(() => {
    bob = new User({ uid: 4001, gid: 4001 });
  });
  afterEach(() => bob.box.remove());

  test('is told once and left out, and the next one is served', async () => {
    const mirror = box.path('mirror');
    await box.depot('alice', 'mirror', 'add', mirror);
    const oids = await push(40, 1000);
    await bob.depot('.', 'install');
    for (const place of [store, mirror]) await bob.depot('.', 'trust', place);
    await bob.git('.', 'clone', '-q', box.path('remote.git'), 'bob');
    const own = bob.box.path('own');
    await bob.depot('bob', 'mirror', 'add', own);

    const { status, stdout, stderr } = await bob.run(PROGRAM, ['sync'], 'bob');
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toContain(`Store ${store}: has all 40 objects.\n`);
    expect(stdout).toContain(`✗ Mirror ${mirror} was left out: cannot store `);
    expect(stdout.match(/permission denied/g)).toHaveLength(1);
    expect(stdout).toMatch(/ {4}→ .*write access/);
    expect(stdout).toContain(`Mirror ${own}: got 40 objects (40 KB), and has all 40 objects now.\n`);
    expect(soundStore(mirror)).toEqual([]);
    expect(soundStore(own)).toEqual(oids);
  });

  test('and has all already is no trouble', async () => {
    const mirror = box.path('mirror');
    await box.depot('alice', 'mirror', 'add', mirror);
    await push(3, 1000);
    expect((await sync()).status).toBe(0);
    await bob.depot('.', 'install');
    for (const place of [store, mirror]) await bob.depot('.', 'trust', place);
    await bob.git('.', 'clone', '-q', box.path('remote.git'), 'bob');
    expect(await bob.depot('bob', 'sync')).toContain(`Mirror ${mirror}: has all 3 objects.\n`);
  });
});

describe.skipIf(!isInstalled('apache'))('a mirror at Apache, which stops in the middle of a sync', () => {
  let server: ApacheServer;
  let mirror: string;
  let oids: string[];
  beforeEach(async () => {
    server = await startApache();
    mirror = join(server.root, 'mirror');
    await knowPassword(box, server.url);
    await box.depot('alice', 'mirror', 'add', `${server.url}/mirror`);
    oids = await push(150, 60_000);
  });
  afterEach(() => server.stop());

  /** Stops the server when the mirror has some of the objects, and not all. */
  async function stopInTheMiddle(): Promise<void> {
    const count = () => readdirSync(mirror, { recursive: true, encoding: 'utf8' }).filter(isObject).length;
    await until('some objects are there', () => count() >= 15);
    await server.kill();
    expect(count()).toBeLessThan(150);
  }

  const isObject = (path: string): boolean => /^..\/..\/[0-9a-f]{64}$/.test(path);

  /** What a server that is killed was just writing in `tmp/` stays until it is old. */
  function soundMirror(): string[] {
    for (const name of readdirSync(join(mirror, 'tmp'))) rmSync(join(mirror, 'tmp', name));
    return soundStore(mirror);
  }

  test('and is back soon: the same sync brings the rest', async () => {
    const syncing = sync();
    await stopInTheMiddle();
    await server.restart();
    const { status, stdout, stderr } = await syncing;
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('has all 150 objects now.\n');
    expect(soundMirror()).toEqual(oids);
  });

  test('and stays away: it is left out, and the next sync brings the rest', async () => {
    await hurry(box);
    const syncing = sync('--json');
    await stopInTheMiddle();
    const result = await syncing;
    expect(result).toMatchObject({ status: 1, stderr: '' });
    const [inStore, inMirror] = reportOf(result).places;
    expect(inStore).toMatchObject({ brought: 0, failed: [] });
    expect(inStore).not.toHaveProperty('error');
    expect(inMirror?.error).toContain(server.url);

    await server.restart();
    const there = soundMirror();
    expect(there.length).toBeLessThan(150);
    expect(oids).toEqual(expect.arrayContaining(there));
    expect(await sync()).toMatchObject({ status: 0, stderr: '' });
    expect(soundMirror()).toEqual(oids);
  });
});

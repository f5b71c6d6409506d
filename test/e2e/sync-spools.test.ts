import { readFileSync, renameSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { oidOf, soundStore } from './objects.ts';
import { spoolsIn, waitingIn } from './spools.ts';
import { reportOf } from './sync-machines.ts';

/** Which place what waits belongs to. Alice has one object waiting for the store that she had at the time. */
let box: Sandbox;
let store: string;
let oid: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  await box.depot('alice', 'offline', 'on');
  oid = oidOf(readFileSync(box.write('alice/a.bin', 1500)));
  await box.push('alice');
  await box.depot('alice', 'offline', 'off');
  expect(waiting()).toEqual([oid]);
});
afterEach(() => box.remove());

const waiting = (): string[] => waitingIn(box.path('alice/.git'));
const sync = (...args: string[]): Promise<Result> => box.run(PROGRAM, ['sync', ...args], { cwd: 'alice' });

test('with nothing else to do, one line is said', async () => {
  expect(await sync()).toMatchObject({
    status: 0,
    stdout: `Delivered to ${store}: 1 object (1.5 KB).\n`,
    stderr: '',
  });
  expect(soundStore(store)).toEqual([oid]);
  expect(await sync()).toMatchObject({ status: 0, stdout: 'Nothing waits on this computer.\n', stderr: '' });
  expect(await sync('--all')).toMatchObject({
    status: 0,
    stdout:
      'Nothing waits on this computer.\n' +
      'There is no mirror to bring anything to: lfs-depot mirror add <location> makes one.\n',
  });
});

test('a store that has moved gets what waits for it, and how to bring it to the new one is said', async () => {
  const moved = box.path('moved');
  await box.depot('alice', 'init', moved);
  const { status, stdout } = await sync();
  expect([status, stdout]).toEqual([
    0,
    `Delivered to ${store}: 1 object (1.5 KB).\n` +
      `    This repository keeps its objects in ${moved} now. To have them there too:\n` +
      '    → git lfs fetch --all && git lfs push --all origin\n',
  ]);
  expect(waiting()).toEqual([]);
  expect(soundStore(store)).toEqual([oid]);
  await box.git('alice', 'lfs', 'push', '--all', 'origin');
  expect(soundStore(moved)).toEqual([oid]);
});

test('a store that has moved and is no longer trusted, or away, is told, and what waits stays', async () => {
  await box.depot('alice', 'init', box.path('moved'));
  await box.depot('.', 'trust', '--remove', store);
  const untrusted = await sync();
  expect(untrusted.status).toBe(1);
  expect(untrusted.stdout).toContain(`✗ What waits here for ${store} stays here: will not open ${store}: `);
  expect(untrusted.stdout).toContain(`lfs-depot trust ${store}\n`);
  await box.depot('.', 'trust', store);
  renameSync(store, `${store} (away)`);
  const away = await sync();
  expect(away.status).toBe(1);
  expect(away.stdout).toContain(`✗ What waits here for ${store} stays here: cannot open ${store}: not mounted`);
  expect(reportOf(await sync('--json')).deliveries).toEqual([
    { location: store, error: expect.stringContaining(`cannot open ${store}`) },
  ]);
  expect(waiting()).toEqual([oid]);
  renameSync(`${store} (away)`, store);
  expect(await sync()).toMatchObject({ status: 0, stderr: '' });
  expect(waiting()).toEqual([]);
  expect(soundStore(store)).toEqual([oid]);
});

test('the store of this repository, when it is away, is told once for all that waits', async () => {
  await box.depot('alice', 'offline', 'on');
  for (const name of ['b', 'c', 'd', 'e', 'f', 'g']) box.write(`alice/${name}.bin`, 1000);
  await box.push('alice');
  renameSync(store, `${store} (away)`);
  const { status, stdout, stderr } = await sync();
  expect([status, stderr]).toEqual([1, '']);
  const [first, second, third, ...rest] = stdout.split('\n');
  expect([first, second]).toEqual([
    `Nothing could be delivered to ${store}.`,
    'Still waiting on this computer: 7 objects.',
  ]);
  expect(third).toMatch(/^✗ cannot open .*: not mounted, or not a store yet: /);
  expect(rest.filter((line) => line.startsWith('✗'))).toEqual([]);
  expect(stdout).toContain('Offline mode is still on: pushes stay on this computer until `lfs-depot offline off`.\n');
  expect(waiting()).toHaveLength(7);
});

test('without any store named, what waits is delivered all the same', async () => {
  await box.git('alice', 'config', '--file', '.lfsconfig', '--unset', 'lfs.url');
  await box.git('alice', 'remote', 'remove', 'origin');
  expect(await sync()).toMatchObject({ status: 0, stdout: `Delivered to ${store}: 1 object (1.5 KB).\n` });
  expect(soundStore(store)).toEqual([oid]);
  const { status, stdout, stderr } = await sync();
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe(
    'error: cannot tell where the LFS objects of this repository are: neither lfs.url nor the remote says so\n' +
      'hint: run: lfs-depot init <location>\n',
  );
});

test('while the store is away, a mirror gets what only waits here', async () => {
  const mirror = box.path('mirror');
  await box.depot('alice', 'mirror', 'add', mirror);
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.write', 'primary');
  rmSync(box.path('alice/.git/lfs/objects'), { recursive: true });
  renameSync(store, `${store} (away)`);
  const { status, stdout } = await sync();
  expect([status, stdout]).toEqual([
    1,
    expect.stringContaining(`Mirror ${mirror}: got 1 object (1.5 KB), and has all `),
  ]);
  expect(stdout).not.toContain('no good copy of');
  expect(soundStore(mirror)).toEqual([oid]);
  expect(waiting()).toEqual([oid]);
  renameSync(`${store} (away)`, store);
  expect((await sync()).status).toBe(0);
  for (const place of [store, mirror]) expect(soundStore(place)).toEqual([oid]);
  expect(waiting()).toEqual([]);
});

test('a mistake in depot.offline is told before anything is done', async () => {
  await box.git('alice', 'config', 'depot.offline', 'maybe');
  expect(await sync()).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringContaining("error: cannot use depot.offline: 'maybe' is neither true, false nor auto\nhint: "),
  });
  expect(waiting()).toEqual([oid]);
});

test('a mistake in depot.quorum is, too, also where something waits for another place, which comes first', async () => {
  const folderOf = (location: string): string =>
    spoolsIn(box.path('alice/.git')).find((folder) => readFileSync(`${folder}/location`, 'utf8').startsWith(location))!;
  const moved = box.path('moved');
  await box.depot('alice', 'init', moved);
  await box.depot('alice', 'offline', 'on');
  box.write('alice/b.bin', 1500);
  await box.push('alice');
  await box.depot('alice', 'offline', 'off');
  if (folderOf(moved) < folderOf(store)) await box.depot('alice', 'init', store);
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.quorum', 'most');
  const { status, stdout, stderr } = await sync();
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain("error: cannot use depot.quorum: 'most' is not a whole number from 1 to 100\nhint: ");
  expect(waiting()).toHaveLength(2);
});

test('a location that ends in a blank is delivered to', async () => {
  const blank = `${store} `;
  await box.depot('alice', 'init', blank);
  await box.depot('alice', 'offline', 'on');
  const second = oidOf(readFileSync(box.write('alice/b.bin', 1500)));
  await box.push('alice');
  await box.depot('alice', 'offline', 'off');
  await box.depot('alice', 'init', box.path('moved'));
  const { status, stdout } = await sync();
  expect(status).toBe(0);
  for (const place of [store, blank]) expect(stdout).toContain(`Delivered to ${place}: 1 object (1.5 KB).\n`);
  expect(soundStore(store)).toEqual([oid]);
  expect(soundStore(blank)).toEqual([second]);
});

test('outside of a repository it says so', async () => {
  const { status, stderr } = await box.run(PROGRAM, ['sync', '--json'], { cwd: 'home' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: .*not a git repository/);
});

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf } from './objects.ts';

/** A clone `alice` that pushed two versions of a file long ago: git-lfs would prune the older one. */
let box: Sandbox;
let store: string;
let old: string;
let now: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  old = await version(2015);
  now = await version(2016);
});
afterEach(() => box.remove());

async function version(year: number, clone = 'alice'): Promise<string> {
  const oid = oidOf(readFileSync(box.write(`${clone}/a.bin`, 5000)));
  const date = `${year}-01-01T00:00:00Z`;
  await box.git(clone, 'add', '.');
  await box.ok('git', ['commit', '-qm', date], {
    cwd: clone,
    env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  });
  await box.git(clone, 'push', '-q', 'origin', 'HEAD');
  return oid;
}

const here = (oid: string): string => objectFile(box.path('alice/.git/lfs/objects'), oid);

async function forPrune(...args: string[]): Promise<Result> {
  const result = await box.run(PROGRAM, ['status', '--for-prune', ...args], { cwd: 'alice' });
  expect(result.stderr).toBe('');
  return result;
}

const prune = (): Promise<string> => box.git('alice', 'lfs', 'prune', '--verify-remote');

test('the trap: prune --verify-remote deletes the last copy, and status --for-prune says so before', async () => {
  rmSync(objectFile(store, old));
  const { status, stdout } = await forPrune();
  expect(status).toBe(1);
  expect(stdout).toContain('do not prune: of 1 object that git lfs prune would delete, 1 may be the last copies');
  expect(stdout).toContain(`${old.slice(0, 10)}     5.0 KB  a.bin\n`);

  expect(await prune()).toContain('1 verified with remote');
  expect(existsSync(here(old))).toBe(false);
  expect(existsSync(objectFile(store, old))).toBe(false);
});

test('what prune would delete is in the store: safe, and nothing is lost', async () => {
  expect(await forPrune()).toMatchObject({ status: 0, stdout: 'safe to prune: 1 object, all in the store\n' });
  await prune();
  expect(existsSync(here(old))).toBe(false);
  expect(await forPrune()).toMatchObject({ status: 0, stdout: expect.stringContaining('there is nothing') });
  await box.git('alice', 'checkout', '-q', 'HEAD~1');
  expect(oidOf(readFileSync(box.path('alice/a.bin')))).toBe(old);
});

test('each of many objects is looked at', async () => {
  const oids = [old, now];
  for (let year = 2000; year < 2012; year++) oids.push(await version(year));
  const going = oids.slice(0, -1);
  expect(JSON.parse((await forPrune('--json')).stdout)).toMatchObject({ ok: true, objects: 13, all: false });
  for (const oid of going) {
    renameSync(objectFile(store, oid), box.path('aside'));
    const { lost } = JSON.parse((await forPrune('--json')).stdout);
    expect(lost).toMatchObject([{ oid, answer: 'absent', waits: false, path: 'a.bin' }]);
    renameSync(box.path('aside'), objectFile(store, oid));
  }
  await prune();
  for (const oid of going) expect(existsSync(here(oid))).toBe(false);
});

test('what prune keeps is of no matter', async () => {
  rmSync(objectFile(store, now));
  expect((await forPrune()).status).toBe(0);
});

test('damaged in the store: judged by content, or by size where depot.verify says so', async () => {
  writeFileSync(objectFile(store, old), Buffer.alloc(5000));
  const { status, stdout } = await forPrune();
  expect(status).toBe(1);
  expect(stdout).toContain('a.bin, damaged there\n');
  await box.git('alice', 'config', 'depot.verify', 'size');
  expect((await forPrune()).status).toBe(0);
  writeFileSync(objectFile(store, old), Buffer.alloc(4999));
  expect((await forPrune()).status).toBe(1);
});

test('a store that is away, or not trusted: do not prune', async () => {
  renameSync(store, `${store} away`);
  const away = await forPrune();
  expect(away.status).toBe(1);
  expect(away.stdout).toMatch(/^do not prune: .*\n {2}1 could not be asked about: .*\n {4}hint: /);
  renameSync(`${store} away`, store);
  await box.depot('.', 'trust', '--remove', store);
  const forbidden = await forPrune();
  expect(forbidden.status).toBe(1);
  expect(forbidden.stdout).toContain('will not open');
});

test('what waits in the spool is not in the store', async () => {
  await box.depot('alice', 'offline', 'on');
  const waiting = await version(2017);
  await box.depot('alice', 'offline', 'off');
  await version(2018);
  // That push delivered what waited.
  expect((await forPrune()).status).toBe(0);
  expect(existsSync(objectFile(store, waiting))).toBe(true);
  await box.depot('alice', 'offline', 'on');
  const later = await version(2019);
  await version(2020);
  const { status, stdout } = await forPrune();
  expect(status).toBe(1);
  expect(stdout).toContain(`${later.slice(0, 10)}     5.0 KB  a.bin, waits on this computer\n`);
});

test('git-lfs does not say what it would delete: all that is here is looked at', async () => {
  await box.git('alice', 'config', 'lfs.storage', box.path('objects elsewhere'));
  await box.git('alice', 'lfs', 'fetch', '--all');
  expect(existsSync(objectFile(box.path('objects elsewhere/objects'), now))).toBe(true);
  // A branch with no commit yet.
  await box.git('alice', 'checkout', '-q', '--orphan', 'new');
  expect((await box.run('git', ['lfs', 'prune', '--dry-run'], { cwd: 'alice' })).status).not.toBe(0);
  expect(JSON.parse((await forPrune('--json')).stdout)).toMatchObject({ ok: true, objects: 2, all: true });
  rmSync(objectFile(store, now));
  const { status, stdout } = await forPrune();
  expect(status).toBe(1);
  expect(stdout).toContain('all that are here were looked at');
});

test("the store is git-lfs's own folder by another name: prune would delete there, too", async () => {
  mkdirSync(box.path('mine'));
  renameSync(store, box.path('mine/objects'));
  symlinkSync(box.path('mine/objects'), store);
  await box.git('alice', 'config', 'lfs.storage', box.path('mine'));
  const { status, stdout } = await forPrune();
  expect(status).toBe(1);
  expect(stdout).toContain('do not prune: of 1 object that git lfs prune would delete, 1 may be the last copies\n');
  expect(stdout).toContain('  1 object there is the very file that prune would delete:\n');
  expect(JSON.parse((await forPrune('--json')).stdout).lost).toMatchObject([{ oid: old, answer: 'there', same: true }]);
  await prune();
  expect(existsSync(objectFile(store, old))).toBe(false);
});

test("the objects of a remote that is a folder are git-lfs's own here", async () => {
  await box.depot('.', 'install', '--file-remotes');
  await box.git('alice', 'rm', '-q', '.lfsconfig');
  await box.git('alice', 'lfs', 'push', '--all', 'origin');
  const theirs = box.path('remote.git/lfs');
  await box.git('alice', 'commit', '-qm', 'the remote is the store');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  await box.git('alice', 'lfs', 'push', '--all', 'origin');
  expect(existsSync(objectFile(`${theirs}/objects`, old))).toBe(true);
  expect((await forPrune()).status).toBe(0);
  await box.git('alice', 'config', 'lfs.storage', theirs);
  const { status, stdout } = await forPrune();
  expect(status).toBe(1);
  expect(stdout).toContain('the very file that prune would delete');
});

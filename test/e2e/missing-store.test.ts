import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { expectSameWorktree, soundStore } from './objects.ts';

/** Alice has pushed one object; a second one waits to be pushed when the store goes away. */
let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  box.write('alice/a.bin', 500);
  await box.push('alice');
  box.write('alice/b.bin', 600);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'b');
});
afterEach(() => box.remove());

async function expectPushAndCloneFail(): Promise<void> {
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  const clone = await box.run('git', ['clone', '-q', 'remote.git', 'bob']);
  for (const { status, stderr } of [push, clone]) {
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/: \[3\] cannot [^\n]*\nhint: /);
    expect(stderr).toContain(store);
    expect(stderr).toMatch(/hint: .*mount/);
  }
  rmSync(box.path('bob'), { recursive: true });
}

async function expectPushAndCloneWork(): Promise<void> {
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(store)).toHaveLength(2);
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
}

test('while the store is gone push and clone fail, make nothing, and work once it is back', async () => {
  renameSync(store, `${store} (away)`);
  await expectPushAndCloneFail();
  expect(existsSync(store)).toBe(false);
  renameSync(`${store} (away)`, store);
  await expectPushAndCloneWork();
});

test('under the mount point of an absent share nothing is made, and it works once it is mounted', async () => {
  renameSync(store, `${store} (away)`);
  mkdirSync(store);
  await expectPushAndCloneFail();
  expect(readdirSync(store)).toEqual([]);
  rmdirSync(store);
  renameSync(`${store} (away)`, store);
  await expectPushAndCloneWork();
});

test('a folder with objects and without a marker is neither read nor written', async () => {
  renameSync(`${store}/lfs-depot.json`, box.path('marker'));
  const before = readdirSync(store, { recursive: true });
  await expectPushAndCloneFail();
  expect(readdirSync(store, { recursive: true })).toEqual(before);
  renameSync(box.path('marker'), `${store}/lfs-depot.json`);
  await expectPushAndCloneWork();
});

test('a file where the store should be is an error that says so', async () => {
  renameSync(store, `${store} (away)`);
  writeFileSync(store, 'not a folder');
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(push.status).not.toBe(0);
  expect(push.stderr).toContain('[3] ');
  expect(push.stderr).toContain(store);
});

test('a push that could not store its objects does not move the branch', async () => {
  renameSync(store, `${store} (away)`);
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(push.status).not.toBe(0);
  const pushed = await box.git('.', '--git-dir=remote.git', 'log', '--format=%s', 'main');
  expect(pushed).toBe('change\nstart\n');
});

test('a store of a newer format is not used, and the message asks for a newer program', async () => {
  writeFileSync(`${store}/lfs-depot.json`, JSON.stringify({ format: 2, id: 'x', created: '2030-01-01T00:00:00Z' }));
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(push.status).not.toBe(0);
  expect(push.stderr).toContain('[2] ');
  expect(push.stderr).toContain('hint: install a newer lfs-depot');
});

test('a store whose empty folders were not carried along, its temp folder too, is used all the same', async () => {
  rmSync(`${store}/tmp`, { recursive: true });
  await expectPushAndCloneWork();
});

test('a store behind a symbolic link is used, and missed when the link leads nowhere', async () => {
  renameSync(store, box.path('elsewhere'));
  symlinkSync(box.path('elsewhere'), store);
  renameSync(box.path('elsewhere'), box.path('away'));
  await expectPushAndCloneFail();
  expect(existsSync(box.path('elsewhere'))).toBe(false);
  renameSync(box.path('away'), box.path('elsewhere'));
  await expectPushAndCloneWork();
});

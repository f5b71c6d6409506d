import { readFileSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf } from './objects.ts';

/** A clone `alice` with a store and a mirror, both of which have the one object that was pushed. */
let box: Sandbox;
let store: string;
let mirror: string;
let oid: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  mirror = box.path('mirror');
  await box.depot('alice', 'mirror', 'add', mirror);
  oid = oidOf(readFileSync(box.write('alice/a.bin', 500)));
  await box.push('alice');
  await box.depot('alice', 'sync');
});
afterEach(() => box.remove());

async function shown(): Promise<string> {
  return box.depot('alice', 'status');
}

async function check(): Promise<{ status: number | null; stdout: string }> {
  const { status, stdout } = await box.run(PROGRAM, ['status', '--check'], { cwd: 'alice' });
  return { status, stdout };
}

const COMPLETE = { status: 0, stdout: '' };

/** Only the places have it: not git-lfs here. */
function forgetHere(): void {
  rmSync(objectFile(box.path('alice/.git/lfs/objects'), oid));
}

/** Whether somebody else, who trusts both places, gets the file. */
async function canClone(): Promise<boolean> {
  const bob = new Sandbox();
  try {
    await bob.depot('.', 'install');
    await bob.depot('.', 'trust', store);
    await bob.depot('.', 'trust', mirror);
    await bob.run('git', ['clone', '-q', box.path('remote.git'), 'clone']);
    const { stdout } = await bob.run('git', ['lfs', 'ls-files', '--long'], { cwd: 'clone' });
    return stdout.includes(`${oid} * a.bin`);
  } finally {
    bob.remove();
  }
}

test('both have everything', async () => {
  const report = await shown();
  expect(report).toContain(`Mirror: ${mirror}: answers\n\n`);
  expect(report).toContain('A fresh clone would be complete.');
  expect(await check()).toEqual(COMPLETE);
});

test('only the mirror has it: clones are complete, the store is not, and sync brings it', async () => {
  rmSync(objectFile(store, oid));
  forgetHere();
  const report = await shown();
  expect(report).toContain('  1 only in a mirror: lfs-depot sync\n');
  expect(report).toContain('A fresh clone would be complete.');
  expect(await canClone()).toBe(true);
  const { status, stdout } = await check();
  expect(status).toBe(1);
  expect(stdout).toContain('only in a mirror: lfs-depot sync');
  // A clone healed nothing: what is absent, nobody replaces but sync.
  await box.depot('alice', 'sync');
  expect(await check()).toEqual(COMPLETE);
});

test('what a mirror lacks is told, and does not matter to a check of the store', async () => {
  rmSync(objectFile(mirror, oid));
  expect(await shown()).toContain(
    `Mirror: ${mirror}: answers\n  lacks 1 object (500 bytes) of these: lfs-depot sync\n`,
  );
  expect(await check()).toEqual(COMPLETE);
});

test('the store is away: the mirror has what clones need', async () => {
  renameSync(store, `${store} away`);
  const report = await shown();
  expect(report).toContain('A fresh clone would be complete.');
  expect(await canClone()).toBe(true);
  expect((await check()).status).toBe(1);
});

test('the store lacks it and the mirror is away: it cannot be told what clones get', async () => {
  rmSync(objectFile(store, oid));
  forgetHere();
  renameSync(mirror, `${mirror} away`);
  const report = await shown();
  expect(report).toContain(`Mirror: ${mirror}: does not answer: `);
  expect(report).toContain('Whether a fresh clone would have 1 file cannot be told');
  expect(report).toContain('1 nowhere that can be seen from here');
});

test('damaged in every place: that is said, and not that nobody has it', async () => {
  for (const place of [store, mirror]) truncateSync(objectFile(place, oid), 100);
  forgetHere();
  const report = await shown();
  expect(report).toContain('  1 damaged wherever they can be seen from here: whoever has the file runs git lfs push');
  expect(report).toContain('A fresh clone would miss 1 file:');
  expect((await check()).stdout).toContain('  1 damaged wherever they can be seen from here: whoever has the file');
});

test('a mirror that only the own git config names is nothing to clones', async () => {
  await box.depot('alice', 'mirror', 'remove', mirror);
  await box.git('alice', 'config', 'depot.mirror', mirror);
  await box.push('alice');
  rmSync(objectFile(store, oid));
  expect(await shown()).toContain('A fresh clone would miss 1 file:');
  expect(await canClone()).toBe(false);
});

test('a quorum: as many places as it says must have it', async () => {
  await box.git('alice', 'config', '--file', join(box.path('alice'), '.lfsdepot'), 'depot.quorum', '2');
  expect(await check()).toEqual(COMPLETE);
  rmSync(objectFile(mirror, oid));
  const { status, stdout } = await check();
  expect(status).toBe(1);
  expect(stdout).toContain('not in as many places as depot.quorum says');
  expect(stdout).toContain('1 in the store, but in too few mirrors: lfs-depot sync');
  await box.depot('alice', 'sync');
  await box.git('alice', 'config', '--file', join(box.path('alice'), '.lfsdepot'), 'depot.quorum', '1');
  rmSync(objectFile(store, oid));
  expect(await check()).toEqual(COMPLETE);
});

test('a quorum that a mirror fulfils of which clones do not know: the check fails', async () => {
  await box.depot('alice', 'mirror', 'remove', mirror);
  await box.push('alice');
  await box.git('alice', 'config', 'depot.mirror', mirror);
  await box.git('alice', 'config', 'depot.quorum', '1');
  expect(await check()).toEqual(COMPLETE);
  rmSync(objectFile(store, oid));
  expect(await canClone()).toBe(false);
  const { status, stdout } = await check();
  expect(status).toBe(1);
  expect(stdout).toContain('1 only in a mirror: lfs-depot sync');
});

test('a quorum: one store by two names is one copy', async () => {
  const file = join(box.path('alice'), '.lfsdepot');
  symlinkSync(store, box.path('twin'));
  await box.git('alice', 'config', '--file', file, '--add', 'depot.mirror', box.path('twin'));
  await box.git('alice', 'config', '--file', file, 'depot.quorum', '2');
  await box.depot('.', 'trust', box.path('twin'));
  expect(await check()).toEqual(COMPLETE);
  rmSync(objectFile(mirror, oid));
  const { status, stdout } = await check();
  expect(status).toBe(1);
  expect(stdout).toContain('1 in the store, but in too few mirrors');
});

test('a mirror that is not trusted is not asked, and told of', async () => {
  await box.depot('alice', 'trust', '--remove', mirror);
  const report = await shown();
  expect(report).toMatch(/Mirror: .*: not used: .*\n {4}hint: .*lfs-depot trust/);
  expect(report).toContain('A fresh clone would be complete.');
  rmSync(objectFile(store, oid));
  // Others trust it.
  expect(await canClone()).toBe(true);
  expect(await shown()).toContain('Whether a fresh clone would have 1 file cannot be told');
});

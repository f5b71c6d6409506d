import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objectFile, soundStore } from '../e2e/objects.ts';
import { leftoversIn, spoolsIn } from '../e2e/spools.ts';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { CheckedObjects } from './checked-objects.ts';
import { Killer } from './killer.ts';
import { forgetPush, PUSH, removeSome } from './pushed.ts';

/**
 * `kill -9` at random moments of pushes into the spool, of pushes that deliver what waits there, and of `lfs-depot sync`.
 * Whatever is killed, each object that was pushed is in the spool or in the store, with the right bytes; and in the end it is
 * in the store, once, and the spool is empty.
 */
const KILLS = Number(process.env.KILLS ?? 100);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 2 ** 31);

/** After so many kills, a command is left alone, and must succeed. */
const BETWEEN_SUCCESSES = 8;

const LARGE = [20_000_000, 40_000_000];
const SMALL = Array.from({ length: 15 }, (_, index) => 500 + index * 14_000);
const COUNT = LARGE.length + SMALL.length;

/** What goes to the store on a branch of its own, so that a push has something to deliver after. */
const OTHERS = 4;
const PUSH_OTHER = ['push', '-q', 'origin', 'other'];

const runs = process.platform === 'linux' ? test : test.skip;

let box: Sandbox;
let killer: Killer;
let stored: CheckedObjects;
let spooled: CheckedObjects;
let objects: string[];
let others: string[];
beforeAll(async () => {
  console.log(`KILL_SEED=${SEED} KILLS=${KILLS}`);
  box = new Sandbox();
  killer = new Killer(box, SEED);
  stored = new CheckedObjects(await box.team());
  await box.git('remote.git', 'config', 'receive.denyDeleteCurrent', 'ignore');
  await box.git('alice', 'branch', 'other');
  for (const [index, size] of [...SMALL, ...LARGE].entries()) box.write(`alice/${index}.bin`, size);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'objects');
  objects = local();
  await box.git('alice', 'checkout', '-q', 'other');
  for (let index = 0; index < OTHERS; index++) box.write(`alice/other${index}.bin`, 1000 + index);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'others');
  others = local().filter((oid) => !objects.includes(oid));
  await box.git('alice', 'checkout', '-q', 'main');
  await box.depot('alice', 'offline', 'on');
  await box.git('alice', ...PUSH);
  const [spool, ...more] = spoolsIn(box.path('alice/.git'));
  expect(more).toEqual([]);
  spooled = new CheckedObjects(spool!, /^(location$|claim$|away$|told-spooled$|tmp\/)/);
  expect(spooled.check().size).toBe(COUNT);
});
afterAll(() => box.remove());

function local(): string[] {
  return [...new CheckedObjects(box.path('alice/.git/lfs/objects')).check()].sort();
}

/** Nothing is lost: of those that were pushed. */
function expectKept(oids: string[]): void {
  const there = new Set([...stored.check(), ...spooled.check()]);
  expect(oids.filter((oid) => !there.has(oid))).toEqual([]);
}

runs(`${KILLS} kills during pushes into the spool lose nothing`, { timeout: 900_000 }, async () => {
  await box.depot('alice', 'offline', 'on');
  await forgetPush(box);
  empty(spooled);
  await killer.measure('alice', PUSH);
  expect(spooled.check().size).toBe(COUNT);
  await killer.repeat(KILLS, async (target, kills) => {
    await forgetPush(box);
    removeSome(spooled, killer.random);
    const kept = [...spooled.check()];
    const killed = await killer.killDuring('alice', PUSH, target);
    // When the commits are out, the push has said that the objects are kept.
    expectKept(existsSync(box.path('remote.git/refs/heads/main')) ? objects : kept);
    if (kills % BETWEEN_SUCCESSES === 0) {
      await box.git('alice', ...PUSH);
      expect([...spooled.check()].sort()).toEqual(objects);
    }
    return killed;
  });
  await forgetPush(box);
  await box.git('alice', ...PUSH);
  expect(stored.check().size).toBe(0);
  await expectAllDelivered();
});

runs(`${KILLS} kills during pushes that deliver what waits lose nothing`, { timeout: 900_000 }, async () => {
  await box.depot('alice', 'offline', 'off');
  await restart();
  await killer.measure('alice', PUSH_OTHER);
  expect([...stored.check()].sort()).toEqual([...objects, ...others].sort());
  expect([...spooled.check()]).toEqual([]);
  await killer.repeat(KILLS, async (target, kills) => {
    await restart();
    const killed = await killer.killDuring('alice', PUSH_OTHER, target);
    expectKept(objects);
    if (kills % BETWEEN_SUCCESSES === 0) {
      await box.git('alice', ...PUSH_OTHER);
      await expectAllDelivered();
    }
    return killed;
  });
  await expectAllDelivered();
});

runs(`${KILLS} kills of sync, alone and beside another, lose nothing`, { timeout: 900_000 }, async () => {
  await restart();
  const began = Date.now();
  await box.depot('alice', 'sync');
  const whole = Date.now() - began;
  let kills = 0;
  for (let rounds = 0; kills < KILLS; rounds++) {
    if (rounds > 3 * KILLS + 10) throw new Error(`only ${kills} of ${rounds} rounds killed something`);
    await restart();
    const beside = rounds % 3 === 0 ? box.run(PROGRAM, ['sync'], { cwd: 'alice' }) : undefined;
    if (await killSync(killer.random() * whole * 1.1)) kills++;
    if (beside) expect(await beside).toMatchObject({ status: 0, stderr: '' });
    expectKept(objects);
    if (beside) expect([...spooled.check()]).toEqual([]);
    if (rounds % BETWEEN_SUCCESSES === 0) await expectAllDelivered();
  }
  console.log(`${kills} kills of sync`);
  await expectAllDelivered();
});

/** Kills a sync after that many milliseconds; whether it was still running. */
async function killSync(after: number): Promise<boolean> {
  const child = box.start(PROGRAM, ['sync'], { cwd: 'alice', stdio: 'ignore' });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  await Promise.race([sleep(after), ended]);
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}

/** All objects wait; of the store a part is there, and none of the others is pushed. */
async function restart(): Promise<void> {
  if (existsSync(box.path('remote.git/refs/heads/other'))) {
    await box.git('alice', 'push', '-q', '--no-verify', 'origin', ':other');
  }
  for (const oid of objects) {
    const file = objectFile(spooled.folder, oid);
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) copyFileSync(objectFile(box.path('alice/.git/lfs/objects'), oid), file);
  }
  removeSome(stored, killer.random);
}

function empty(objectsHere: CheckedObjects): void {
  for (const oid of objectsHere.check()) rmSync(objectFile(objectsHere.folder, oid));
}

/** Nothing is lost, nothing is doubled, and what killed processes left goes once it is old. */
async function expectAllDelivered(): Promise<void> {
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
  const temp = join(stored.folder, 'tmp');
  const left = [...leftoversIn(box.path('alice/.git')), ...readdirSync(temp).map((name) => join(temp, name))];
  for (const file of left) utimesSync(file, twoDaysAgo, twoDaysAgo);
  // So that there is something to deliver: a store is swept by whoever writes.
  const [one = ''] = objects;
  mkdirSync(dirname(objectFile(spooled.folder, one)), { recursive: true });
  copyFileSync(objectFile(box.path('alice/.git/lfs/objects'), one), objectFile(spooled.folder, one));
  rmSync(objectFile(stored.folder, one), { force: true });
  await box.depot('alice', 'sync');
  expect([...spooled.check()]).toEqual([]);
  expect(leftoversIn(box.path('alice/.git')).map(withTimes)).toEqual([]);
  expect(soundStore(stored.folder).filter((oid) => !others.includes(oid))).toEqual(objects);
}

/** Tells whether a file was there before, or who is still at work. */
function withTimes(file: string): string {
  const { birthtime, mtime, ctime, size } = statSync(file);
  return `${file}: ${size} bytes, ${[birthtime, mtime, ctime, new Date()].map((time) => time.toISOString()).join(' ')}`;
}

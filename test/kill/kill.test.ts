import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { CheckedObjects } from './checked-objects.ts';
import { Killer } from './killer.ts';
import { forgetPush, PUSH, removeSome } from './pushed.ts';

/**
 * `kill -9` at random moments of real pushes and fetches. Whatever is killed, no object is ever wrong under its name, no
 * process stays, and the next push or clone is complete.
 */
const UPLOAD_KILLS = Number(process.env.KILLS ?? 200);
const DOWNLOAD_KILLS = Math.ceil((UPLOAD_KILLS * 3) / 20);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 2 ** 31);

/** After so many kills, a command is left alone, and must succeed. */
const BETWEEN_SUCCESSES = 8;
const BETWEEN_CLONES = 40;

const LARGE = [20_000_000, 30_000_000, 60_000_000];
const SMALL = Array.from({ length: 15 }, (_, index) => 500 + index * 14_000);
const COUNT = LARGE.length + SMALL.length;

const FETCH = ['lfs', 'fetch', 'origin', 'main'];

const runs = process.platform === 'linux' ? test : test.skip;

let box: Sandbox;
let killer: Killer;
let stored: CheckedObjects;
beforeAll(async () => {
  console.log(`KILL_SEED=${SEED} KILLS=${UPLOAD_KILLS}`);
  box = new Sandbox();
  killer = new Killer(box, SEED);
  stored = new CheckedObjects(await box.team());
  for (const [index, size] of [...SMALL, ...LARGE].entries()) box.write(`alice/${index}.bin`, size);
  await box.git('remote.git', 'config', 'receive.denyDeleteCurrent', 'ignore');
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'objects');
});
afterAll(() => box.remove());

runs(`${UPLOAD_KILLS} kills during pushes leave no wrong object and no process`, { timeout: 900_000 }, async () => {
  await killer.measure('alice', PUSH);
  expect(stored.check().size).toBe(COUNT);
  await killer.repeat(UPLOAD_KILLS, async (target, kills) => {
    await forgetPush(box);
    removeSome(stored, killer.random);
    const killed = await killer.killDuring('alice', PUSH, target);
    stored.check();
    if (kills % BETWEEN_SUCCESSES === 0) await expectNextPushWhole();
    if (kills % BETWEEN_CLONES === 0) await expectCloneWhole();
    return killed;
  });
  await expectNextPushWhole();
  await expectCloneWhole();
});

runs(`${DOWNLOAD_KILLS} kills during fetches leave no wrong object and no process`, { timeout: 300_000 }, async () => {
  await box.git('alice', ...PUSH);
  await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  const fetched = new CheckedObjects(box.path('bob', '.git', 'lfs', 'objects'));
  await killer.measure('bob', FETCH);
  expect(fetched.check().size).toBe(COUNT);
  await killer.repeat(DOWNLOAD_KILLS, async (target, kills) => {
    removeSome(fetched, killer.random);
    const killed = await killer.killDuring('bob', FETCH, target);
    fetched.check();
    if (kills % BETWEEN_SUCCESSES !== 0) return killed;
    await box.git('bob', ...FETCH);
    expect(fetched.check().size).toBe(COUNT);
    empty(box.path('bob', '.git', 'lfs', 'tmp'));
    return killed;
  });
  expect(stored.check().size).toBe(COUNT);
});

/** It also tidies what killed agents left, once that is old. */
async function expectNextPushWhole(): Promise<void> {
  await forgetPush(box);
  removeSome(stored, killer.random);
  const temp = join(stored.folder, 'tmp');
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
  for (const name of readdirSync(temp)) utimesSync(join(temp, name), twoDaysAgo, twoDaysAgo);
  const missing = stored.check().size < COUNT;
  await box.git('alice', ...PUSH);
  expect(stored.check().size).toBe(COUNT);
  if (missing) expect(readdirSync(temp)).toEqual([]);
}

async function expectCloneWhole(): Promise<void> {
  await box.git('.', 'clone', '-q', 'remote.git', 'carol');
  for (let index = 0; index < COUNT; index++) {
    const [there, here] = ['carol', 'alice'].map((clone) => readFileSync(box.path(clone, `${index}.bin`)));
    expect(there?.equals(here!)).toBe(true);
  }
  rmSync(box.path('carol'), { recursive: true });
}

function empty(folder: string): void {
  if (!existsSync(folder)) return;
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
}

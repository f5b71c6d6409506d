import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { CheckedObjects } from './checked-objects.ts';
import { killByPid, MARK, markedProcesses, type Process, stillThere } from './marked-processes.ts';

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

const TARGETS = ['one agent', 'all agents', 'git-lfs'] as const;
type Target = (typeof TARGETS)[number];

const LARGE = [20_000_000, 30_000_000, 60_000_000];
const SMALL = Array.from({ length: 15 }, (_, index) => 500 + index * 14_000);
const COUNT = LARGE.length + SMALL.length;

const PUSH = ['push', '-q', 'origin', 'main'];
const FETCH = ['lfs', 'fetch', 'origin', 'main'];

const random = randomNumbers(SEED);
const runs = process.platform === 'linux' ? test : test.skip;

let box: Sandbox;
let stored: CheckedObjects;
let marks = 0;
beforeAll(async () => {
  console.log(`KILL_SEED=${SEED} KILLS=${UPLOAD_KILLS}`);
  box = new Sandbox();
  stored = new CheckedObjects(await box.team());
  for (const [index, size] of [...SMALL, ...LARGE].entries()) box.write(`alice/${index}.bin`, size);
  await box.git('remote.git', 'config', 'receive.denyDeleteCurrent', 'ignore');
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'objects');
});
afterAll(() => box.remove());

runs(`${UPLOAD_KILLS} kills during pushes leave no wrong object and no process`, { timeout: 900_000 }, async () => {
  const whole = await untilItEnds('alice', PUSH);
  expect(stored.check().size).toBe(COUNT);
  await repeat(UPLOAD_KILLS, async (target, kills) => {
    await forgetPush();
    removeSome(stored);
    const killed = await killDuring('alice', PUSH, target, whole);
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
  const whole = await untilItEnds('bob', FETCH);
  expect(fetched.check().size).toBe(COUNT);
  await repeat(DOWNLOAD_KILLS, async (target, kills) => {
    removeSome(fetched);
    const killed = await killDuring('bob', FETCH, target, whole);
    fetched.check();
    if (kills % BETWEEN_SUCCESSES !== 0) return killed;
    await box.git('bob', ...FETCH);
    expect(fetched.check().size).toBe(COUNT);
    empty(box.path('bob', '.git', 'lfs', 'tmp'));
    return killed;
  });
  expect(stored.check().size).toBe(COUNT);
});

/** Rounds until so many killed something. */
async function repeat(wanted: number, round: (target: Target, kills: number) => Promise<number>): Promise<void> {
  let processes = 0;
  let kills = 0;
  for (let rounds = 0; kills < wanted; rounds++) {
    if (rounds > 3 * wanted + 10) throw new Error(`only ${kills} of ${rounds} rounds met what they should kill`);
    const target = TARGETS[rounds % TARGETS.length]!;
    try {
      const killed = await round(target, kills + 1);
      processes += killed;
      if (killed > 0) kills++;
    } catch (error) {
      throw new Error(`round ${rounds}, ${target}, KILL_SEED=${SEED}`, { cause: error });
    }
  }
  console.log(`${kills} kills of ${processes} processes`);
}

/** Milliseconds from the first agent to the end of the command. */
async function untilItEnds(clone: string, args: string[]): Promise<number> {
  const command = start(clone, args);
  await firstAgent(command);
  const began = Date.now();
  expect(await command.status).toBe(0);
  return Date.now() - began;
}

interface Command {
  mark: string;
  ended: boolean;
  status: Promise<number | null>;
}

function start(clone: string, args: string[]): Command {
  const mark = `${process.pid}-${marks++}`;
  const child = box.start('git', args, { cwd: clone, env: { [MARK]: mark }, stdio: 'ignore' });
  const command: Command = {
    mark,
    ended: false,
    status: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (status) => {
        command.ended = true;
        resolve(status);
      });
    }),
  };
  return command;
}

async function firstAgent(command: Command): Promise<void> {
  const there = () => markedProcesses(command.mark).some(({ kind }) => kind === 'agent' || kind === 'waiting');
  while (!command.ended && !there()) await sleep(5);
}

/** Kills the target at a random moment; gives how many processes that were. Nothing of the command stays. */
async function killDuring(clone: string, args: string[], target: Target, whole: number): Promise<number> {
  const command = start(clone, args);
  try {
    await firstAgent(command);
    await sleep(random() * whole);
    let killed = 0;
    while (killed === 0 && !command.ended) {
      killed = choose(target, markedProcesses(command.mark)).filter(({ pid }) => killByPid(pid)).length;
      if (killed === 0) await sleep(5);
    }
    // An agent that outlives git-lfs is not forgiven: it stops by itself.
    expect((await stillThere(command.mark, 5000)).map(({ command: text }) => text)).toEqual([]);
    return killed;
  } finally {
    for (const { pid } of markedProcesses(command.mark)) killByPid(pid);
    await command.status;
  }
}

function choose(target: Target, there: Process[]): Process[] {
  if (target === 'git-lfs') return there.filter(({ kind }) => kind === 'git-lfs');
  const agents = there.filter(({ kind }) => kind === 'agent');
  const all = agents.length > 0 ? agents : there.filter(({ kind }) => kind === 'waiting');
  return target === 'all agents' ? all : all.slice(Math.floor(random() * all.length)).slice(0, 1);
}

/** So that the next push has all the objects to offer again. */
async function forgetPush(): Promise<void> {
  if (existsSync(box.path('remote.git', 'refs', 'heads', 'main')))
    await box.git('alice', 'push', '-q', '--no-verify', 'origin', ':main');
}

/** Most of the objects, so that there is something to move, and something that is there already. */
function removeSome(objects: CheckedObjects): void {
  for (const oid of objects.check()) {
    if (random() < 0.7) rmSync(join(objects.folder, oid.slice(0, 2), oid.slice(2, 4), oid));
  }
}

/** It also tidies what killed agents left, once that is old. */
async function expectNextPushWhole(): Promise<void> {
  await forgetPush();
  removeSome(stored);
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

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

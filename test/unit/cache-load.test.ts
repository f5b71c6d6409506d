import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseOid } from '../../agent/oid.ts';
import { randomNumbers } from '../random-numbers.ts';
import { CacheBox, MIB, type Source } from './cache-box.ts';
import type { LoadReport } from './cache-load-report.ts';

const WORKER = resolve(import.meta.dirname, 'cache-load-worker.ts');
const WORKERS = 8;
const BOUND = 8 * MIB;
/** Milliseconds. */
const DURATION = Number(process.env.CACHE_LOAD_SECONDS ?? 10) * 1000;
const SEED = Number(process.env.CACHE_LOAD_SEED ?? Date.now() % 1e6);

let box: CacheBox;
beforeEach(() => {
  // In memory the processes meet more often.
  box = new CacheBox(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
});
afterEach(() => box.remove());

/**
 * Under load, with one process that flips bits and others that are killed. What is asserted holds at each moment, however
 * fast the machine is.
 */
test('eight processes on one cache: never above its bound, and never a wrong byte', async () => {
  console.log(`CACHE_LOAD_SEED=${SEED}`);
  const random = randomNumbers(SEED);
  const pool = poolOf(3 * BOUND, random);
  const poolFile = join(box.home, 'pool.json');
  writeFileSync(poolFile, JSON.stringify(pool));
  mkdirSync(join(box.home, 'scratch'));
  const until = Date.now() + DURATION;
  const start = () => worker(poolFile, Math.floor(random() * 1e9), until);
  const workers = Array.from({ length: WORKERS }, start);

  let most = 0;
  let flips = 0;
  let kills = 0;
  let samples = 0;
  for (let before = look(); Date.now() < until; samples++) {
    await sleep(15);
    const now = look();
    most = Math.max(most, bytesInBoth(before, now));
    before = now;
    if (samples % 4 === 0 && flipBit(now, random)) flips++;
    if (samples % 60 === 59) {
      const victim = workers[Math.floor(random() * workers.length)]!;
      if (victim.kill()) kills++;
      workers.push(start());
    }
  }
  const reports = (await Promise.all(workers.map(({ report }) => report))).filter((report) => report !== undefined);
  const sum = (key: keyof LoadReport) => reports.reduce((total, report) => total + report[key], 0);
  console.log({ most: most / BOUND, samples, flips, kills, hits: sum('hits'), misses: sum('misses') });

  expect(sum('wrong')).toBe(0);
  expect(most).toBeLessThanOrEqual(BOUND);
  expect(box.bytes()).toBeLessThanOrEqual(BOUND);
  // It was a load: the cache was of use, was full, and was damaged.
  expect(sum('hits')).toBeGreaterThan(0);
  expect(most).toBeGreaterThan(BOUND / 3);
  expect(flips).toBeGreaterThan(0);
  expect(kills).toBeGreaterThan(0);
  // And still is of use afterwards, in spite of what the killed ones left.
  const cache = box.open(BOUND);
  const fresh = box.source(1000);
  await stillUsable(fresh);
  expect(await box.hits(cache, fresh)).toBe(true);
});

function poolOf(bytes: number, random: () => number): Source[] {
  const pool: Source[] = [];
  for (let left = bytes; left > 0; ) {
    const size = Math.floor(2 ** (10 + random() * 9));
    pool.push(box.source(size));
    left -= size;
  }
  return pool;
}

interface Worker {
  kill(): boolean;
  /** Undefined for one that was killed. */
  report: Promise<LoadReport | undefined>;
}

function worker(poolFile: string, seed: number, until: number): Worker {
  const args = [WORKER, box.folder, BOUND, poolFile, seed, until, join(box.home, 'scratch')].map(String);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let failed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  child.stderr.on('data', (chunk) => {
    failed += chunk;
  });
  const report = new Promise<LoadReport | undefined>((resolvePromise, reject) => {
    child.on('close', (status, signal) => {
      if (status === 0) resolvePromise(JSON.parse(printed));
      else if (signal === 'SIGKILL') resolvePromise(undefined);
      else reject(new Error(`a worker ended with ${status ?? signal}: ${failed}`));
    });
  });
  return { kill: () => child.exitCode === null && child.kill('SIGKILL'), report };
}

/** The objects in the cache, each with what tells it from one that was there before under its name. */
function look(): Map<string, { size: number; identity: string }> {
  const found = new Map<string, { size: number; identity: string }>();
  const pairs = (folder: string) => names(folder).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (const first of pairs(box.folder)) {
    for (const second of pairs(join(box.folder, first))) {
      const folder = join(box.folder, first, second);
      for (const name of names(folder).filter((text) => parseOid(text))) {
        const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
        if (stats) found.set(join(folder, name), { size: stats.size, identity: `${stats.ino} ${stats.birthtimeMs}` });
      }
    }
  }
  return found;
}

/**
 * A look is no moment: objects come and go in the meantime. What two looks saw was there in the moment between them.
 */
function bytesInBoth(one: ReturnType<typeof look>, other: ReturnType<typeof look>): number {
  let bytes = 0;
  for (const [file, { size, identity }] of one) if (other.get(file)?.identity === identity) bytes += size;
  return bytes;
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Not made yet.
  }
}

/** In place, as a disk does it: the size stays. */
function flipBit(there: ReturnType<typeof look>, random: () => number): boolean {
  const file = [...there.keys()][Math.floor(random() * there.size)];
  if (file === undefined) return false;
  try {
    const content = readFileSync(file);
    const at = Math.floor(random() * content.length);
    content[at]! ^= 1 << Math.floor(random() * 8);
    writeFileSync(file, content, { flag: 'r+' });
    return true;
  } catch {
    return false; // It was evicted.
  }
}

/** One that was killed while it made room has left its lock: it counts for 30 seconds. */
async function stillUsable({ oid, size, file }: Source): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await box.open(BOUND).add(oid, size, file);
    if (box.oids().includes(oid)) return;
  }
}

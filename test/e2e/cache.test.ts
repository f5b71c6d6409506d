import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, PROGRAM, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, objectFile, oidOf } from './objects.ts';

const MIB = 1024 ** 2;

/** A store with what is in the clone of Alice, and a cache that is not made yet. */
let box: Sandbox;
let store: string;
let cache: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  cache = box.path('home', '.cache', 'lfs depot');
  await box.git('.', 'config', '--global', 'depot.cache', '~/.cache/lfs depot');
});
afterEach(() => box.remove());

/** Files of many sizes; returns their oids. */
async function pushFiles(count: number, size = (number: number) => 100 + 997 * number): Promise<string[]> {
  const oids = [];
  for (let number = 0; number < count; number++) {
    oids.push(oidOf(readFileSync(box.write(`alice/${number % 5}/${number}.bin`, size(number)))));
  }
  await box.push('alice');
  return oids.sort();
}

async function cloneIs(name: string): Promise<void> {
  await box.git('.', 'clone', '-q', 'remote.git', name);
  expectSameWorktree(box.path('alice'), box.path(name));
}

/** The objects in the cache, after a look at each; none is damaged. */
function cached(): string[] {
  const paths = filesBelow(cache).filter((path) => /[0-9a-f]{64}$/.test(path));
  for (const path of paths) expect(oidOf(readFileSync(`${cache}/${path}`)), path).toBe(path.slice(-64));
  return paths.map((path) => path.slice(-64)).sort();
}

test('what one clone has fetched, the next has without the store', async () => {
  box.write('alice/large.bin', 3_000_000);
  const oids = await pushFiles(100);
  // Pushing is no reason to keep it twice on this computer.
  expect(existsSync(cache)).toBe(false);
  await cloneIs('bob');
  expect(cached()).toHaveLength(101);
  expect(cached()).toEqual(expect.arrayContaining(oids));
  renameSync(store, box.path('away'));
  await cloneIs('carol');
  expect(readFileSync(`${cache}/CACHEDIR.TAG`, 'utf8')).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55\n/);
  expect(filesBelow(`${cache}/tmp`)).toEqual([]);
});

test('without the cache that clone would have failed', async () => {
  await pushFiles(3);
  await cloneIs('bob');
  renameSync(store, box.path('away'));
  const clone = await box.run('git', ['-c', 'depot.cache=', 'clone', '-q', 'remote.git', 'carol']);
  expect(clone.status).not.toBe(0);
});

test('a flipped bit in the cache is never served, and a good copy takes its place', async () => {
  const oids = await pushFiles(20);
  await cloneIs('bob');
  for (const oid of oids) {
    const file = objectFile(cache, oid);
    const content = readFileSync(file);
    content[content.length >> 1]! ^= 4;
    writeFileSync(file, content);
  }
  await cloneIs('carol');
  expect(cached()).toEqual(oids);
  // With the store away, too, nothing wrong is taken.
  const [first] = oids;
  const file = objectFile(cache, first!);
  writeFileSync(file, Buffer.alloc(statSync(file).size));
  renameSync(store, box.path('away'));
  const clone = await box.run('git', ['clone', '-q', 'remote.git', 'dave']);
  expect(clone.status).not.toBe(0);
  expect(clone.stderr).toContain(first);
  expect(existsSync(file)).toBe(false);
});

test('clones at once that need more than the bound are right, and it is kept', async () => {
  await box.git('.', 'config', '--global', 'depot.cacheSize', '1m');
  await pushFiles(60, (number) => 1000 + 1500 * number);
  await Promise.all(['bob', 'carol', 'dave'].map(cloneIs));
  const bytes = cached().reduce((sum, oid) => sum + statSync(objectFile(cache, oid)).size, 0);
  expect(bytes).toBeLessThanOrEqual(MIB);
  expect(bytes).toBeGreaterThan(MIB / 3);
  expect(existsSync(`${cache}/evicting`)).toBe(false);
});

test('a cache that cannot be used fails no clone', async () => {
  const [oid] = await pushFiles(1, () => 1000);
  box.write('home/.cache/lfs depot/notes.txt', 'not a cache');
  await cloneIs('bob');
  expect(filesBelow(cache)).toEqual(['notes.txt']);
  // As git-lfs talks to the agent: not every version of it passes on what an agent traces.
  const messages = [
    { event: 'init', operation: 'download', remote: 'origin', concurrent: false, concurrenttransfers: 1 },
    { event: 'download', oid, size: 1000 },
    { event: 'terminate' },
  ];
  const input = messages.map((message) => `${JSON.stringify(message)}\n`).join('');
  const { stderr } = await box.run(PROGRAM, ['agent'], { cwd: 'bob', env: { GIT_TRACE: '1' }, input });
  expect(stderr.match(/cannot use .* as a cache/g)).toEqual([`cannot use ${cache} as a cache`]);
});

test('a value that cannot be used is told, with where it is set', async () => {
  await pushFiles(1);
  await box.git('.', 'config', '--global', 'depot.cacheSize', '20');
  const clone = await box.run('git', ['clone', '-q', 'remote.git', 'bob']);
  expect(clone.status).not.toBe(0);
  expect(clone.stderr).toContain("[2] cannot use depot.cacheSize: '20' is not a size of at least 1m");
  expect(clone.stderr).toContain('git config --show-origin --get-all depot.cacheSize');
});

test('a repository cannot name the folder that is filled', async () => {
  await box.git('.', 'config', '--global', '--unset', 'depot.cache');
  const theirs = box.path('theirs');
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.cache', theirs);
  await box.git('alice', 'config', '--file', '.lfsconfig', 'depot.cache', theirs);
  await pushFiles(3);
  await cloneIs('bob');
  expect(existsSync(theirs)).toBe(false);
});

test('the cache may be removed at any time', async () => {
  const oids = await pushFiles(10);
  await cloneIs('bob');
  rmSync(cache, { recursive: true });
  await cloneIs('carol');
  expect(cached()).toEqual(oids);
});

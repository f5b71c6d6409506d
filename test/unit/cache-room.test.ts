import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DIRECT, ON_DISK } from '../../backends/folder/calls.ts';
import { CacheBox, MIB, type Source } from './cache-box.ts';

/** Bytes: 25 blocks, of which the bound of 1 MiB is 256 and the goal of an eviction 204. */
const SIZE = 100_000;
const FITTING = 10;

let box: CacheBox;
let usage: string;
let lock: string;
let temp: string;
beforeEach(() => {
  box = new CacheBox();
  [usage, lock, temp] = [join(box.folder, 'usage'), join(box.folder, 'evicting'), join(box.folder, 'tmp')];
});
afterEach(() => box.remove());

/** Adds them as one process does; each is younger than the one before, and all are older than now. */
async function keep(sources: Source[]): Promise<void> {
  const cache = box.open();
  for (const [index, source] of sources.entries()) {
    await cache.add(source.oid, source.size, source.file);
    if (existsSync(box.fileOf(source))) box.age(source, 100 + sources.length - index);
  }
}

function sources(count: number, size = SIZE): Source[] {
  return Array.from({ length: count }, () => box.source(size));
}

function isKept(source: Source): boolean {
  return existsSync(box.fileOf(source));
}

test('up to the bound all is kept', async () => {
  const all = sources(FITTING);
  await keep(all);
  expect(all.every(isKept)).toBe(true);
  expect(statSync(usage).size).toBe(FITTING * 25);
});

test('beyond it the oldest go, and some more of them at once', async () => {
  const all = sources(FITTING + 1);
  await keep(all);
  // 204 blocks hold 8 objects, the new one among them.
  expect(all.map(isKept)).toEqual([false, false, false, true, true, true, true, true, true, true, true]);
  expect(statSync(usage).size).toBe(8 * 25);
  expect(readdirSync(temp)).toEqual([]);
  expect(existsSync(lock)).toBe(false);
});

test('what was used lately stays', async () => {
  const all = sources(FITTING);
  await keep(all);
  expect(await box.hits(box.open(), all[0]!)).toBe(true);
  await keep(sources(1));
  expect(isKept(all[0]!)).toBe(true);
  expect(isKept(all[1]!)).toBe(false);
});

test('where all have one time, no more go than must', async () => {
  const all = sources(FITTING);
  await keep(all);
  for (const source of all) utimesSync(box.fileOf(source), 1_700_000_000, 1_700_000_000);
  await keep(sources(1));
  expect(all.filter(isKept)).toHaveLength(7);
});

test('an object that is there costs no room', async () => {
  const [source] = sources(1);
  await keep([source!]);
  const before = statSync(usage).size;
  for (let times = 0; times < 50; times++) await keep([source!]);
  expect(statSync(usage).size).toBe(before);
});

test('small objects count as what they take on a disk', async () => {
  const all = sources(300, 10);
  await keep(all);
  expect(all.filter(isKept).length).toBeLessThanOrEqual(256);
});

test('an object that would push out too many others is not kept', async () => {
  const [largest, tooLarge] = [box.source(MIB / 4), box.source(MIB / 4 + 1)];
  await keep([tooLarge, largest]);
  expect(isKept(tooLarge)).toBe(false);
  expect(isKept(largest)).toBe(true);
});

test('whatever else lies in the cache is neither counted nor removed', async () => {
  await keep(sources(1));
  const others = ['notes.txt', 'aa/bb/notes.txt', `aa/bb/${'c'.repeat(64)}`, 'tmp/mine', 'tmp/depot-like-this'];
  for (const name of others) {
    mkdirSync(join(box.folder, name, '..'), { recursive: true });
    writeFileSync(join(box.folder, name), Buffer.alloc(MIB));
    utimesSync(join(box.folder, name), 1, 1);
  }
  const all = sources(2 * FITTING);
  await keep(all);
  expect(others.filter((name) => !existsSync(join(box.folder, name)))).toEqual([]);
  expect(all.filter(isKept).length).toBeGreaterThanOrEqual(7);
});

test('a smaller bound is kept by whoever has it', async () => {
  const all = sources(FITTING);
  for (const { oid, size, file } of all) await box.open(100 * MIB).add(oid, size, file);
  const cache = box.open(MIB / 2);
  const [one] = sources(1);
  await cache.add(one!.oid, one!.size, one!.file);
  expect(box.bytes()).toBeLessThanOrEqual(MIB / 2);
  expect(isKept(one!)).toBe(true);
});

describe('the estimate', () => {
  test('is counted anew when it was removed', async () => {
    await keep(sources(FITTING));
    rmSync(usage);
    await keep(sources(1));
    expect(box.bytes()).toBeLessThanOrEqual(0.8 * MIB);
    expect(statSync(usage).size).toBe(8 * 25);
  });

  test('that is too high, after crashes, is put right', async () => {
    const all = sources(3);
    await keep(all);
    writeFileSync(usage, Buffer.alloc(256));
    await keep(sources(1));
    expect(all.every(isKept)).toBe(true);
    expect(statSync(usage).size).toBe(4 * 25);
  });

  test('counts what others are about to bring', async () => {
    await keep(sources(4));
    const note = join(temp, `depot-fill-${'a'.repeat(24)}@100`);
    writeFileSync(note, '');
    rmSync(usage);
    await keep(sources(1));
    // 100 of the other, 25 of ours, and as many of 25 as are not above 204.
    expect(statSync(usage).size).toBe(200);
    expect(box.oids()).toHaveLength(4);
    expect(existsSync(note)).toBe(true);
  });

  test('forgets what dead processes were about to bring, ten minutes later', async () => {
    await keep(sources(4));
    const note = join(temp, `depot-fill-${'a'.repeat(24)}@100`);
    const file = join(temp, `depot-put-${'b'.repeat(24)}`);
    for (const path of [note, file]) {
      writeFileSync(path, '');
      utimesSync(path, Date.now() / 1000 - 700, Date.now() / 1000 - 700);
    }
    rmSync(usage);
    await keep(sources(1));
    expect(statSync(usage).size).toBe(5 * 25);
    expect(readdirSync(temp)).toEqual([]);
  });

  test('an object whose note was taken for a dead one’s goes again', async () => {
    await keep(sources(1));
    const source = box.source(40 * MIB);
    const cache = box.open(400 * MIB);
    const adding = cache.add(source.oid, source.size, source.file);
    let note: string | undefined;
    while (note === undefined) {
      await new Promise(setImmediate);
      note = readdirSync(temp).find((name) => name.startsWith('depot-fill-'));
    }
    rmSync(join(temp, note));
    await adding;
    expect(isKept(source)).toBe(false);
  });
});

describe('the lock', () => {
  test('of another that makes room: nothing is added meanwhile, and what is there is served', async () => {
    const all = sources(FITTING);
    await keep(all);
    writeFileSync(lock, 'another');
    const [late] = sources(1);
    await keep([late!]);
    expect(isKept(late!)).toBe(false);
    expect(all.every(isKept)).toBe(true);
    expect(await box.hits(box.open(), all[0]!)).toBe(true);
    rmSync(lock);
    await keep([late!]);
    expect(isKept(late!)).toBe(true);
  });

  test('of one that died in the middle of it is taken over', async () => {
    await keep(sources(FITTING));
    writeFileSync(lock, 'a dead process');
    utimesSync(lock, Date.now() / 1000 - 31, Date.now() / 1000 - 31);
    rmSync(usage);
    const [late] = sources(1);
    await keep([late!]);
    expect(isKept(late!)).toBe(true);
    expect(box.bytes()).toBeLessThanOrEqual(0.8 * MIB);
    expect(existsSync(lock)).toBe(false);
  });
});

test.runIf(process.platform === 'linux')(
  'objects that cannot be removed end the fills, and not with a count for each',
  async () => {
    const all = sources(FITTING);
    await keep(all);
    // A fake: a removal that is refused as on Windows, where somebody holds the file open. No mode would keep root from it.
    const { unlink } = DIRECT;
    let tried = 0;
    DIRECT.unlink = ON_DISK.unlink = (path) => {
      if (!/[0-9a-f]{64}$/.test(path)) return unlink(path);
      tried++;
      throw Object.assign(new Error('EBUSY: resource busy or locked, unlink'), { code: 'EBUSY' });
    };
    try {
      const cache = box.open();
      for (const { oid, size, file } of sources(3)) await cache.add(oid, size, file);
    } finally {
      DIRECT.unlink = ON_DISK.unlink = unlink;
    }
    expect(all.every(isKept)).toBe(true);
    expect(box.oids()).toHaveLength(FITTING);
    expect(tried).toBeLessThanOrEqual(FITTING);
  },
);

test('one that is renamed away while it is read is served all the same', async () => {
  const source = box.source(20 * MIB);
  const cache = box.open(100 * MIB);
  await cache.add(source.oid, source.size, source.file);
  const target = box.target();
  const isHit = await cache.get(source.oid, source.size, target, {
    onProgress: () => {
      if (isKept(source)) renameSync(box.fileOf(source), box.target());
    },
  });
  expect(isHit).toBe(true);
});

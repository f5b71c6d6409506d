import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectFailure } from '../conformance/failure.ts';
import { filesBelow } from '../sandbox.ts';
import { CacheBox, MIB, type Source } from './cache-box.ts';

let box: CacheBox;
beforeEach(() => {
  box = new CacheBox();
});
afterEach(() => box.remove());

async function keep(...sources: Source[]): Promise<void> {
  for (const { oid, size, file } of sources) await box.open().add(oid, size, file);
}

test.each([0, 1, 4096, 5000, 200_000])('what one process brings, another has: %i bytes', async (size) => {
  const source = box.source(size);
  expect(await box.hits(box.open(), source)).toBe(false);
  await keep(source);
  expect(await box.hits(box.open(), source)).toBe(true);
  expect(readdirSync(join(box.folder, 'tmp'))).toEqual([]);
});

test('one that spans several buffers', async () => {
  const source = box.source(3 * MIB + 17);
  const cache = box.open(100 * MIB);
  await cache.add(source.oid, source.size, source.file);
  expect(await box.hits(cache, source)).toBe(true);
});

test('a look makes nothing, and a fill marks the folder as a cache', async () => {
  const source = box.source(100);
  expect(await box.hits(box.open(), source)).toBe(false);
  expect(existsSync(box.folder)).toBe(false);
  await keep(source);
  const tag = readFileSync(join(box.folder, 'CACHEDIR.TAG'), 'utf8');
  expect(tag.split('\n')[0]).toBe('Signature: 8a477f597d28d172789f06886806bc55');
  expect(tag).toContain('lfs-depot');
  expect(statSync(box.fileOf(source)).size).toBe(100);
});

test('progress ends at the size', async () => {
  const source = box.source(5000);
  await keep(source);
  const told: number[] = [];
  await box.open().get(source.oid, source.size, box.target(), { onProgress: (bytes) => told.push(bytes) });
  expect(told.at(-1)).toBe(5000);
});

test('a clone cannot change what the cache has: nothing shares a file with it', async () => {
  const source = box.source(5000);
  await keep(source);
  const target = box.target();
  const cache = box.open();
  expect(await cache.get(source.oid, source.size, target)).toBe(true);
  writeFileSync(target, 'changed');
  writeFileSync(source.file, 'changed, too');
  expect(statSync(box.fileOf(source)).nlink).toBe(1);
  expect(await cache.get(source.oid, source.size, box.target())).toBe(true);
});

describe('damage', () => {
  const damages: [string, (good: Buffer) => Buffer][] = [
    ['one bit', (good) => Buffer.concat([good.subarray(0, 99), Buffer.from([good[99]! ^ 1]), good.subarray(100)])],
    ['cut short', (good) => good.subarray(0, 1234)],
    ['longer', (good) => Buffer.concat([good, Buffer.from('tail')])],
    ['empty', () => Buffer.alloc(0)],
  ];
  test.each(damages)('is never served, and gives way to a good one: %s', async (_, damage) => {
    const source = box.source(5000);
    await keep(source);
    writeFileSync(box.fileOf(source), damage(readFileSync(source.file)));
    const { outcomes, traces } = box.inProcess([{ verb: 'get', ...source, file: box.target() }]);
    expect(outcomes).toEqual([false]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatch(new RegExp(`${source.oid}: the copy there is damaged: .*; removed$`));
    expect(existsSync(box.fileOf(source))).toBe(false);
    await keep(source);
    expect(await box.hits(box.open(), source)).toBe(true);
  });

  test('what has the wrong size is replaced by a fill, too', async () => {
    const source = box.source(5000);
    await keep(source);
    writeFileSync(box.fileOf(source), 'short');
    await keep(source);
    expect(await box.hits(box.open(), source)).toBe(true);
  });

  test('a damaged file is not brought in', async () => {
    const source = box.source(5000);
    writeFileSync(source.file, Buffer.alloc(5000));
    const good = box.source(5000);
    const { traces } = box.inProcess([
      { verb: 'add', ...source },
      { verb: 'add', ...good },
    ]);
    expect(traces).toHaveLength(1);
    expect(box.oids()).toEqual([good.oid]);
  });
});

describe('the local file', () => {
  test('that cannot be written is an error, since a download would fail the same way', async () => {
    const source = box.source(5000);
    await keep(source);
    const get = box.open().get(source.oid, source.size, join(box.home, 'no folder', 'file'));
    await expect(get).rejects.toThrow('on this computer');
    expect(await box.hits(box.open(), source)).toBe(true);
  });

  test('that an earlier download has begun is replaced by a hit, and left alone by a miss', async () => {
    const source = box.source(5000);
    const partial = box.target();
    writeFileSync(partial, 'the first bytes');
    expect(await box.open().get(source.oid, source.size, partial)).toBe(false);
    expect(readFileSync(partial, 'utf8')).toBe('the first bytes');
    await keep(source);
    expect(await box.open().get(source.oid, source.size, partial)).toBe(true);
    expect(readFileSync(partial).equals(readFileSync(source.file))).toBe(true);
    expect(existsSync(`${partial}.cached`)).toBe(false);
  });
});

test('cancelled is an error, and leaves nothing', async () => {
  const [kept, source] = [box.source(5000), box.source(5000)];
  await keep(kept);
  const cache = box.open();
  const signal = AbortSignal.abort();
  const target = box.target();
  await expectFailure(cache.get(kept.oid, kept.size, target, { signal }), 'cancelled');
  await expectFailure(cache.add(source.oid, source.size, source.file, { signal }), 'cancelled');
  expect(existsSync(target)).toBe(false);
  expect(box.oids()).toEqual([kept.oid]);
  expect(readdirSync(join(box.folder, 'tmp'))).toEqual([]);
});

test('cancelled in the middle of a large one, too', async () => {
  const source = box.source(40 * MIB);
  const cache = box.open(400 * MIB);
  const adding = new AbortController();
  const add = cache.add(source.oid, source.size, source.file, { signal: adding.signal });
  setImmediate(() => adding.abort());
  await expectFailure(add, 'cancelled');
  expect(box.oids()).toEqual([]);
  await cache.add(source.oid, source.size, source.file);
  const getting = new AbortController();
  const target = box.target();
  const options = { signal: getting.signal, onProgress: () => getting.abort() };
  await expectFailure(cache.get(source.oid, source.size, target, options), 'cancelled');
  expect(existsSync(target)).toBe(false);
});

describe('a folder that is something else', () => {
  test.each([
    ['files', ['notes.txt', 'src/main.c']],
    ['a store', ['lfs-depot.json']],
    ['a temp folder of somebody else', ['tmp/mine']],
  ])('is left as it is, and that is told once: %s', async (_, names) => {
    for (const name of names) {
      mkdirSync(dirname(join(box.folder, name)), { recursive: true });
      writeFileSync(join(box.folder, name), 'theirs');
    }
    const source = box.source(100);
    // As in a store: damaged, and in the place where a cache would have it.
    mkdirSync(dirname(box.fileOf(source)), { recursive: true });
    writeFileSync(box.fileOf(source), Buffer.alloc(100));
    const before = filesBelow(box.folder);
    const { outcomes, traces } = box.inProcess([
      { verb: 'get', ...source, file: box.target() },
      { verb: 'add', ...source },
      { verb: 'add', ...box.source(100) },
    ]);
    expect(outcomes).toEqual([false, null, null]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toContain(`cannot use ${box.folder} as a cache`);
    expect(filesBelow(box.folder)).toEqual(before);
    expect(readFileSync(box.fileOf(source)).equals(Buffer.alloc(100))).toBe(true);
  });

  test('is left as it is where it is another program’s cache', async () => {
    mkdirSync(box.folder);
    const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by cargo.\n';
    writeFileSync(join(box.folder, 'CACHEDIR.TAG'), tag);
    const { traces } = box.inProcess([{ verb: 'add', ...box.source(100) }]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toContain("another program's");
    expect(filesBelow(box.folder)).toEqual(['CACHEDIR.TAG']);
  });

  test('a file where the folder should be fails nothing', async () => {
    writeFileSync(box.folder, 'a file');
    const source = box.source(100);
    const { outcomes } = box.inProcess([
      { verb: 'get', ...source, file: box.target() },
      { verb: 'add', ...source },
    ]);
    expect(outcomes).toEqual([false, null]);
    expect(readFileSync(box.folder, 'utf8')).toBe('a file');
  });

  test('an empty folder is taken', async () => {
    mkdirSync(box.folder);
    const source = box.source(100);
    await keep(source);
    expect(box.oids()).toEqual([source.oid]);
  });
});

test('many processes make the cache at once', async () => {
  const sources = Array.from({ length: 12 }, () => box.source(1000));
  await Promise.all(sources.map((source) => keep(source)));
  expect(box.oids().sort()).toEqual(sources.map(({ oid }) => oid).sort());
});

describe('removed while it is in use', () => {
  test.each(['cache', 'cache/tmp', 'cache/usage', 'cache/CACHEDIR.TAG'])('%s', async (path) => {
    const [one, two, three] = [box.source(5000), box.source(5000), box.source(5000)];
    const cache = box.open();
    await cache.add(one.oid, one.size, one.file);
    expect(await box.hits(cache, one)).toBe(true);
    rmSync(join(box.home, path), { recursive: true });
    // One object may be lost to it; none fails.
    await box.hits(cache, one);
    await cache.add(two.oid, two.size, two.file);
    await cache.add(three.oid, three.size, three.file);
    if (path === 'cache/CACHEDIR.TAG') return;
    expect(await box.hits(cache, three)).toBe(true);
    expect(await box.hits(box.open(), three)).toBe(true);
  });
});

const TEAM = 54321;
const ALICE = { uid: 54331, groups: [54331, TEAM], umask: 0o077 };
const BOB = { uid: 54332, groups: [54332, TEAM], umask: 0o077 };
const MALLORY = { uid: 54333, groups: [54333], umask: 0o022 };

describe.skipIf(process.getuid?.() !== 0)('several people (needs root, to act as them)', () => {
  /** 0.1 MiB, as large as ten of them together are the bound. */
  const SIZE = 100_000;

  function shared(mode: number): void {
    mkdirSync(box.folder);
    chownSync(box.folder, ALICE.uid, TEAM);
    chmodSync(box.folder, mode);
  }

  function readable(count: number): Source[] {
    return Array.from({ length: count }, () => box.source(SIZE));
  }

  /** Where anybody may write a local file. */
  function target(): string {
    const folder = join(box.home, 'targets');
    if (!existsSync(folder)) mkdirSync(folder);
    chmodSync(folder, 0o777);
    return join(folder, Math.random().toString(36).slice(2));
  }

  test('two of one group fill one cache, use and evict what the other brought', () => {
    shared(0o2770);
    const [hers, his] = [readable(6), readable(5)];
    const add = (source: Source) => ({ verb: 'add' as const, ...source });
    expect(box.inProcess(hers.map(add), ALICE).traces).toEqual([]);
    for (const [index, source] of hers.entries()) box.age(source, 60 - index);
    const used = statSync(box.fileOf(hers[0]!)).mtimeMs;
    const get = { verb: 'get' as const, ...hers[0]!, file: target() };
    const { outcomes, traces } = box.inProcess([get, ...his.map(add)], BOB);
    expect(outcomes[0]).toBe(true);
    expect(traces.filter((line) => !line.includes('was full'))).toEqual([]);
    expect(box.bytes()).toBeLessThanOrEqual(MIB);
    // What Bob used is young now, although the file is Alice's.
    if (process.platform === 'linux') expect(statSync(box.fileOf(hers[0]!)).mtimeMs).toBeGreaterThan(used);
    expect(existsSync(box.fileOf(hers[1]!))).toBe(false);
    expect(box.oids()).toContain(his.at(-1)!.oid);
    expect(box.inProcess(readable(9).map(add), ALICE).outcomes).toHaveLength(9);
    expect(box.bytes()).toBeLessThanOrEqual(MIB);
  });

  test('who may only read has hits, and is told once that nothing is added', async () => {
    const [kept, ...others] = readable(3);
    await keep(kept!);
    chmodSync(box.folder, 0o755);
    const { outcomes, traces } = box.inProcess(
      [
        { verb: 'get', ...kept!, file: target() },
        ...others.map((source) => ({ verb: 'add' as const, ...source })),
        { verb: 'get', ...kept!, file: target() },
      ],
      MALLORY,
    );
    expect(outcomes).toEqual([true, null, null, true]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatch(/^lfs-depot: filling the cache: .*\(EACCES\)$/);
    expect(box.oids()).toEqual([kept!.oid]);
  });
});

describe.skipIf(!canMount())('a full disk (needs root, to mount a small one)', () => {
  afterEach(() => execFileSync('umount', [join(box.home, 'disk')]));

  test('fails nothing, and is told once', () => {
    const disk = join(box.home, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]);
    const full = new CacheBox(disk);
    // Its local files lie elsewhere.
    const sources = Array.from({ length: 8 }, () => box.source(100_000));
    const { outcomes, traces } = full.inProcess([
      ...sources.map((source) => ({ verb: 'add' as const, ...source })),
      { verb: 'get' as const, ...sources[0]!, file: box.target() },
    ]);
    expect(outcomes).toEqual([...sources.map(() => null), true]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toContain('ENOSPC');
    expect(readdirSync(join(full.folder, 'tmp'))).toEqual([]);
  });
});

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const probe = new CacheBox();
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', probe.home], { stdio: 'ignore' });
    execFileSync('umount', [probe.home]);
    return true;
  } catch {
    return false;
  } finally {
    probe.remove();
  }
}

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CacheBox, type Source } from './cache-box.ts';

// A cache that several people write to, one of whom lays links and pipes into it.

/** Bytes: eleven of them are more than the bound. */
const SIZE = 100_000;
const BEYOND = 11;

let box: CacheBox;
let usage: string;
beforeEach(() => {
  box = new CacheBox();
  usage = join(box.folder, 'usage');
});
afterEach(() => box.remove());

function sources(count: number): Source[] {
  return Array.from({ length: count }, () => box.source(SIZE));
}

async function keep(...all: Source[]): Promise<void> {
  const cache = box.open();
  for (const { oid, size, file } of all) await cache.add(oid, size, file);
}

/** What somebody has in the same layout, as `.git/lfs/objects` is, in other folders: used longer ago than the rest. */
function objectsOf(victim: string, rest: Source[]): Source[] {
  const others = sources(8).filter(({ oid }) => !rest.some((one) => one.oid.slice(0, 2) === oid.slice(0, 2)));
  return others.map((source) => {
    const file = join(victim, source.oid.slice(0, 2), source.oid.slice(2, 4), source.oid);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, readFileSync(source.file));
    const lately = Date.now() / 1000 - 2 * 24 * 3600;
    utimesSync(file, lately, lately);
    return { ...source, file };
  });
}

describe('making room', () => {
  test.each(['aa', 'aa/bb'])('leaves alone what lies behind a linked folder: %s', async (which) => {
    const [first, ...all] = sources(1 + BEYOND);
    await keep(first!);
    const victim = join(box.home, 'victim');
    const theirs = objectsOf(victim, [first!, ...all]);
    for (const { oid } of theirs) {
      const path = which === 'aa' ? oid.slice(0, 2) : `${oid.slice(0, 2)}/${oid.slice(2, 4)}`;
      const link = join(box.folder, path);
      if (existsSync(link)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(victim, path), link);
    }
    await keep(...all);
    // Room had to be made.
    expect(existsSync(box.fileOf(first!))).toBe(false);
    expect(theirs.filter(({ file }) => !existsSync(file))).toEqual([]);
  });

  test('removes a linked file’s link, and not the file', async () => {
    const [first, ...all] = sources(1 + BEYOND);
    await keep(first!);
    const [theirs] = objectsOf(join(box.home, 'victim'), [first!, ...all]);
    const link = box.fileOf(theirs!);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(theirs!.file, link);
    await keep(...all);
    expect(existsSync(link)).toBe(false);
    expect(statSync(theirs!.file).size).toBe(SIZE);
  });
});

describe('the count of what is in use', () => {
  let [first, second]: Source[] = [];
  beforeEach(async () => {
    [first, second] = [box.source(5000), box.source(5000)];
    await keep(first);
    rmSync(usage);
  });

  test('that is a link is not written through, and counted anew', async () => {
    const victim = join(box.home, 'letter.txt');
    writeFileSync(victim, 'Dear all,');
    symlinkSync(victim, usage);
    await keep(second!);
    expect(readFileSync(victim, 'utf8')).toBe('Dear all,');
    expect([lstatSync(usage).isFile(), lstatSync(usage).size]).toEqual([true, 4]);
  });

  test.each(['nobody', 'somebody'])(
    'that is a pipe which %s reads from hangs nobody, and is counted anew',
    async (who) => {
      pipe(usage);
      const reader = who === 'somebody' ? openSync(usage, constants.O_RDONLY | constants.O_NONBLOCK) : undefined;
      const { outcomes } = box.inProcess([
        { verb: 'add', ...second! },
        { verb: 'get', ...first!, file: box.target() },
        { verb: 'get', ...second!, file: box.target() },
      ]);
      if (reader !== undefined) closeSync(reader);
      expect(outcomes).toEqual([null, true, true]);
      expect([lstatSync(usage).isFile(), lstatSync(usage).size]).toEqual([true, 4]);
    },
  );
});

describe('a pipe, which who opens it waits at for ever', () => {
  test('in place of the tag means that there is no cache', async () => {
    const source = box.source(5000);
    await keep(source);
    rmSync(join(box.folder, 'CACHEDIR.TAG'));
    pipe(join(box.folder, 'CACHEDIR.TAG'));
    const { outcomes, traces } = box.inProcess([
      { verb: 'get', ...source, file: box.target() },
      { verb: 'add', ...box.source(5000) },
    ]);
    expect(outcomes).toEqual([false, null]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toContain(`cannot use ${box.folder} as a cache`);
  });

  test('in place of an object means that the cache does not have it, and others are served', async () => {
    const [source, other] = [box.source(5000), box.source(5000)];
    await keep(source, other);
    rmSync(box.fileOf(source));
    pipe(box.fileOf(source));
    const { outcomes } = box.inProcess([
      { verb: 'get', ...source, file: box.target() },
      { verb: 'add', ...source },
      { verb: 'get', ...source, file: box.target() },
      { verb: 'get', ...other, file: box.target() },
    ]);
    expect(outcomes).toEqual([false, null, false, true]);
  });
});

function pipe(path: string): void {
  execFileSync('mkfifo', [path]);
}

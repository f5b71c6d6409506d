import { createHash, type Hash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { BUFFER, lend } from '../../backends/folder/buffers.ts';
import { type CopyOptions, copyBytes } from '../../backends/folder/copy.ts';
import { CACHED_WRITE } from '../../backends/folder/copy-large.ts';
import { sideOf } from '../../backends/folder/sides.ts';

const folder = mkdtempSync(join(tmpdir(), 'depot-copy-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Where writes past the system's cache can be had: ext and XFS. */
const CAN_BYPASS = process.platform === 'linux' && [0xef53, 0x58465342].includes(statfsSync(folder).type);

const opened = new Set<number>();
afterEach(() => {
  for (const fd of opened) closeSync(fd);
  opened.clear();
});

function open(name: string, flags: string | number): number {
  const fd = openSync(join(folder, name), flags);
  opened.add(fd);
  return fd;
}

function source(size: number, name = 'source'): { fd: number; content: Buffer } {
  const content = randomBytes(size);
  writeFileSync(join(folder, name), content);
  return { fd: open(name, 'r'), content };
}

/** The descriptors of a new target: through the system's cache, and past it. */
function target(kind: string, name = 'target'): { fd: number; uncached: number | undefined } {
  rmSync(join(folder, name), { force: true });
  const fd = open(name, 'wx+');
  return { fd, uncached: kind === 'cached' ? undefined : open(name, constants.O_WRONLY | constants.O_DIRECT) };
}

const contentOf = (name = 'target'): Buffer => readFileSync(join(folder, name));

function copy(from: number, to: ReturnType<typeof target>, options: Partial<CopyOptions> & { size: number }) {
  return copyBytes(from, to.fd, { direct: true, uncached: to.uncached, ...options });
}

describe.each(['cached', ...(CAN_BYPASS ? ['past the cache'] : [])])('a large copy, %s', (kind) => {
  test.each([BUFFER + 1, 2 * BUFFER, 9 * BUFFER, 9 * BUFFER + 4096, 13 * BUFFER + 12_345])(
    'of %i bytes has them all, hashed, and tells of each write',
    async (size) => {
      const { fd, content } = source(size);
      const to = target(kind);
      const told: number[] = [];
      const hash = createHash('sha256');
      expect(await copy(fd, to, { size, hash, onProgress: (bytes) => told.push(bytes) })).toBe(size);
      expect(contentOf().equals(content)).toBe(true);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.length).toBe(Math.ceil(size / (kind === 'cached' ? CACHED_WRITE : BUFFER)));
      expect(told.at(-1)).toBe(size);
    },
  );

  test('writes while it hashes', async () => {
    const size = 4 * BUFFER;
    const { fd } = source(size);
    const to = target(kind);
    const written = (): number => statSync(join(folder, 'target')).size;
    let first: number | undefined;
    const hash = {
      // Holds the event loop up, as a hash does, until a write of what it hashes can be seen.
      update: () => {
        for (const until = Date.now() + 5000; first === undefined && Date.now() < until; )
          first = written() || undefined;
        first ??= 0;
      },
    } as unknown as Hash;
    expect(await copy(fd, to, { size, hash })).toBe(size);
    expect(first).toBeGreaterThan(0);
  });

  test('twelve at once, more than there are buffers for, are all right', async () => {
    const copies = Array.from({ length: 12 }, (_, index) => {
      const size = 7 * BUFFER + index * 1000;
      const { fd, content } = source(size, `source-${index}`);
      const hash = createHash('sha256');
      const to = target(kind, `target-${index}`);
      return { done: copy(fd, to, { size, hash }), hash, content, name: `target-${index}` };
    });
    for (const { done, hash, content, name } of copies) {
      expect(await done).toBe(content.length);
      expect(contentOf(name).equals(content)).toBe(true);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    }
  });

  test('of a file that is longer than expected stops there, and says so', async () => {
    const { fd, content } = source(5 * BUFFER + 5);
    const size = 3 * BUFFER;
    expect(await copy(fd, target(kind), { size })).toBeGreaterThan(size);
    expect(contentOf().equals(content.subarray(0, size))).toBe(true);
  });

  test('of a file that is shorter than expected says so', async () => {
    const { fd } = source(3 * BUFFER + 5);
    expect(await copy(fd, target(kind), { size: 4 * BUFFER })).toBe(3 * BUFFER + 5);
  });

  test('that is cancelled rejects with the reason, and writes no more', async () => {
    const { fd } = source(40 * BUFFER);
    const stop = new AbortController();
    const to = target(kind);
    let calls = 0;
    const onProgress = (): void => {
      if (++calls === 3) stop.abort(new Error('enough'));
    };
    await expect(copy(fd, to, { size: 40 * BUFFER, signal: stop.signal, onProgress })).rejects.toThrow('enough');
    const { size } = statSync(join(folder, 'target'));
    expect(size).toBeLessThan(12 * BUFFER);
    const told = calls;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(statSync(join(folder, 'target')).size).toBe(size);
    expect(calls).toBe(told);
  });

  test('whose target cannot be written to fails on that side', async () => {
    const { fd } = source(5 * BUFFER);
    const to = target(kind);
    const readOnly = open('target', 'r');
    const failing = copy(
      fd,
      { fd: readOnly, uncached: to.uncached === undefined ? undefined : readOnly },
      { size: 5 * BUFFER },
    );
    const error = await failing.catch((reason) => reason);
    expect(error.code).toBe('EBADF');
    expect(sideOf(error)).toBe('target');
  });

  test('whose source cannot be read fails on that side', async () => {
    const to = target(kind);
    const error = await copy(open('unreadable', 'w'), to, { size: 5 * BUFFER }).catch((reason) => reason);
    expect(error.code).toBe('EBADF');
    expect(sideOf(error)).toBe('source');
  });
});

test.runIf(CAN_BYPASS)('what may not be written past the cache is written through it', async () => {
  // All that begin at a page are in use, so the copy has other memory, which the system refuses.
  const lent = Array.from({ length: 9 }, () => lend(2));
  const { fd, content } = source(5 * BUFFER);
  expect(await copy(fd, target('past the cache'), { size: 5 * BUFFER })).toBe(5 * BUFFER);
  for (const { giveBack } of lent) giveBack();
  expect(contentOf().equals(content)).toBe(true);
});

describe('buffers', () => {
  test('are lent to one at a time, and again when they are given back', () => {
    const first = lend(4);
    const second = lend(4);
    expect(first.buffers).toHaveLength(4);
    expect(new Set([...first.buffers, ...second.buffers]).size).toBe(6);
    second.giveBack();
    const third = lend(4);
    expect(third.buffers.every((buffer) => second.buffers.includes(buffer))).toBe(true);
    third.giveBack();
    first.giveBack();
  });

  test('are two for each when many want them, and never waited for', () => {
    const lent = Array.from({ length: 20 }, () => lend(4));
    expect(lent.map(({ buffers }) => buffers.length)).toEqual([4, ...Array.from({ length: 19 }, () => 2)]);
    const all = lent.flatMap(({ buffers }) => buffers);
    expect(new Set(all).size).toBe(all.length);
    for (const { giveBack } of lent) giveBack();
    expect(lend(4).buffers).toHaveLength(4);
  });
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure } from '../failure.ts';
import { sourceIn } from '../source.ts';
import { ANCHOR, type Bench, leftIn, tempIn } from '../storage.ts';

const MIB = 1024 * 1024;

/** The sizes around which a backend changes its ways, and one of several buffers. */
export const SIZES = [0, 1, MIB - 1, MIB, MIB + 1, 5_000_000];

export const ODD_NAMES = [
  'with space/and more  of it',
  // Windows allows no double quote in a name.
  process.platform === 'win32' ? `it's/'quoted'` : `it's/"quoted"`,
  'ünï/日本語/😀',
  'percent%20/%41/100%',
  '$HOME/`id`/$(id)',
  'hash#/question=1&x',
  `${'l'.repeat(200)}/${'o'.repeat(200)}`,
];

export function writing(current: () => Bench): void {
  test.each(SIZES)('a put of %i bytes creates a file with exactly those bytes, and nothing else', async (size) => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, size);
    expect(await backend.put('aa/bb/file', source.file, source)).toBe('created');
    expect(storage.content('aa/bb/file')?.equals(source.content)).toBe(true);
    expect(leftIn(storage)).toEqual(['aa', 'aa/bb', 'aa/bb/file']);
  });

  test.each(ODD_NAMES)('a file named %s is stored and read like any other', async (path) => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, 'odd');
    expect(await backend.put(path, source.file, source)).toBe('created');
    expect(storage.content(path)?.toString()).toBe('odd');
    expect(await backend.stat(path)).toMatchObject({ path, size: 3 });
    expect(await backend.get(path, join(local, 'fetched'))).toBe(3);
  });

  test('a put never replaces what stands there', async () => {
    const { backend, storage, local } = current();
    const [first, second] = [sourceIn(local, 'first'), sourceIn(local, 'second')];
    expect(await backend.put('aa/file', first.file, first)).toBe('created');
    expect(await backend.put('aa/file', second.file, second)).toBe('exists');
    expect(storage.content('aa/file')?.toString()).toBe('first');
    expect(tempIn(storage)).toEqual([]);
  });

  test.each([10, 3_000_000])('a put of %i bytes that names the version it saw replaces exactly that', async (size) => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', 'damaged');
    const source = sourceIn(local, size);
    const replace = (await backend.stat('aa/file'))?.version;
    expect(await backend.put('aa/file', source.file, { ...source, replace })).toBe('created');
    expect(storage.content('aa/file')?.equals(source.content)).toBe(true);
    expect(tempIn(storage)).toEqual([]);
  });

  test('a put that names a version which is no longer there replaces nothing', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', 'damaged', 60_000);
    const replace = (await backend.stat('aa/file'))?.version;
    storage.plant('aa/file', 'changed by somebody else');
    const source = sourceIn(local, 'mine');
    expect(await backend.put('aa/file', source.file, { ...source, replace })).toBe('exists');
    expect(storage.content('aa/file')?.toString()).toBe('changed by somebody else');
    expect(tempIn(storage)).toEqual([]);
  });

  test('a put may name a version of what was removed meanwhile', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', 'damaged');
    const replace = (await backend.stat('aa/file'))?.version;
    await backend.remove('aa/file');
    const source = sourceIn(local, 'mine');
    expect(await backend.put('aa/file', source.file, { ...source, replace })).toBe('created');
    expect(storage.content('aa/file')?.toString()).toBe('mine');
    expect(tempIn(storage)).toEqual([]);
  });

  test('a refused replacement leaves what stands there', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', 'damaged');
    const replace = (await backend.stat('aa/file'))?.version;
    const source = sourceIn(local, 'mine');
    await expectFailure(backend.put('aa/file', source.file, { ...source, sha256: '0'.repeat(64), replace }), 'corrupt');
    expect(storage.content('aa/file')?.toString()).toBe('damaged');
    expect(tempIn(storage)).toEqual([]);
  });

  test.each([
    { size: 0, promised: 1 },
    { size: 10, promised: 9 },
    { size: 10, promised: 11 },
    { size: 10, promised: 2 * MIB },
    { size: 2 * MIB, promised: 10 },
    { size: 2 * MIB, promised: 2 * MIB - 1 },
    { size: 2 * MIB, promised: 2 * MIB + 1 },
  ])('$size bytes where $promised were promised are refused, and nothing is left', async ({ size, promised }) => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, size);
    const error = await expectFailure(
      backend.put('aa/file', source.file, { sha256: source.sha256, size: promised }),
      'corrupt',
    );
    // cacache's lesson: such an error carries what was expected and what was found.
    expect(error.why).toContain(String(size));
    expect(error.why).toContain(String(promised));
    expect(storage.content('aa/file')).toBeUndefined();
    expect(tempIn(storage)).toEqual([]);
  });

  test.each([10, 2 * MIB])(
    '%i bytes with another SHA-256 than promised are refused, and nothing is left',
    async (size) => {
      const { backend, storage, local } = current();
      const source = sourceIn(local, size);
      const promised = '1'.repeat(64);
      const error = await expectFailure(backend.put('aa/file', source.file, { size, sha256: promised }), 'corrupt');
      expect(error.why).toContain(promised);
      expect(error.why).toContain(source.sha256);
      expect(storage.content('aa/file')).toBeUndefined();
      expect(tempIn(storage)).toEqual([]);
    },
  );

  test.each([10, 2 * MIB])(
    'a local file of %i bytes that does not exist is refused, and nothing is left',
    async (size) => {
      const { backend, storage, local } = current();
      const error = await expectFailure(
        backend.put('aa/file', join(local, 'missing'), { size, sha256: '0'.repeat(64) }),
        'corrupt',
      );
      expect(error.why).toContain('missing');
      expect(tempIn(storage)).toEqual([]);
    },
  );

  test('a small file is written once, and never over another', async () => {
    const { backend, storage } = current();
    expect(await backend.write('notes/small', Buffer.from('first'))).toBe('created');
    expect(await backend.write('notes/small', Buffer.from('second'))).toBe('exists');
    expect((await backend.read('notes/small'))?.toString()).toBe('first');
    expect(await backend.write('notes/empty', Buffer.alloc(0))).toBe('created');
    expect(await backend.read('notes/empty')).toHaveLength(0);
    expect(tempIn(storage)).toEqual([]);
  });

  test('the anchor itself is not replaced either', async () => {
    const { backend } = current();
    expect(await backend.write(ANCHOR, Buffer.from('another'))).toBe('exists');
    expect((await backend.read(ANCHOR))?.toString()).toBe('{}');
  });
}

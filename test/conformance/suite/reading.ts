import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, failureOf } from '../failure.ts';
import { hashOf, sourceIn } from '../source.ts';
import type { Bench } from '../storage.ts';
import { SIZES } from './writing.ts';

const MIB = 1024 * 1024;

export function reading(current: () => Bench): void {
  test.each(SIZES)('a file of %i bytes is fetched, digested and measured as it lies there', async (size) => {
    const { backend, storage, local } = current();
    const { content, sha256 } = sourceIn(local, size);
    storage.plant('aa/bb/file', content);
    const target = join(local, 'fetched');
    expect(await backend.get('aa/bb/file', target)).toBe(size);
    expect(readFileSync(target).equals(content)).toBe(true);
    expect(await backend.digest('aa/bb/file')).toBe(sha256);
    expect(await backend.stat('aa/bb/file')).toMatchObject({ path: 'aa/bb/file', size });
  });

  test('what is absent is undefined, and makes no local file', async () => {
    const { backend, local } = current();
    const target = join(local, 'fetched');
    expect(await backend.stat('aa/nothing')).toBeUndefined();
    expect(await backend.get('aa/nothing', target)).toBeUndefined();
    expect(await backend.digest('aa/nothing')).toBeUndefined();
    expect(await backend.read('aa/nothing')).toBeUndefined();
    expect(existsSync(target)).toBe(false);
  });

  test.each(SIZES.filter((size) => size > 0))(
    'of %i bytes that are not the expected ones nothing is left',
    async (size) => {
      const { backend, storage, local } = current();
      const { content, sha256 } = sourceIn(local, size);
      const target = join(local, 'fetched');
      storage.plant('aa/file', content);
      expect(await backend.get('aa/file', target, { expect: { size, sha256 } })).toBe(size);
      const flipped = Buffer.from(content);
      flipped[size - 1]! ^= 1;
      for (const damaged of [flipped, content.subarray(1), Buffer.concat([content, content])]) {
        storage.plant('aa/file', damaged);
        const other = join(local, 'damaged');
        await expectFailure(backend.get('aa/file', other, { expect: { size, sha256 } }), 'corrupt');
        expect(existsSync(other)).toBe(false);
      }
    },
  );

  test('a folder counts as absent', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/bb/file', 'x');
    expect(await backend.stat('aa/bb')).toBeUndefined();
    expect(await backend.digest('aa/bb')).toBeUndefined();
    expect(await backend.get('aa/bb', join(local, 'fetched'))).toBeUndefined();
    expect(existsSync(join(local, 'fetched'))).toBe(false);
  });

  test('a folder counts as absent for a small read, too', async () => {
    const { backend, storage } = current();
    storage.plantFolder('aa');
    expect(await backend.read('aa')).toBeUndefined();
  });

  test('a fetch makes a new local file, and leaves one alone that is there already', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', 'theirs');
    const target = join(local, 'fetched');
    writeFileSync(target, 'mine');
    await failureOf(backend.get('aa/file', target));
    expect(readFileSync(target, 'utf8')).toBe('mine');
  });

  test('the digest is that of the bytes which lie there now', async () => {
    const { backend, storage } = current();
    storage.plant('aa/file', 'before');
    expect(await backend.digest('aa/file')).toBe(hashOf(Buffer.from('before')));
    storage.plant('aa/file', 'after!');
    expect(await backend.digest('aa/file')).toBe(hashOf(Buffer.from('after!')));
  });

  test('the version of a file changes with its content, and only then', async () => {
    const { backend, storage } = current();
    storage.plant('aa/file', 'before', 5000);
    const before = await backend.stat('aa/file');
    expect(await backend.stat('aa/file')).toEqual(before);
    expect(await storage.open().stat('aa/file')).toEqual(before);
    storage.plant('aa/file', 'after!');
    expect((await backend.stat('aa/file'))?.version).not.toBe(before?.version);
  });

  test('a small read gives at most 1 MiB', async () => {
    const { backend, storage } = current();
    storage.plant('just', Buffer.alloc(MIB, 'j'));
    expect((await backend.read('just'))?.equals(Buffer.alloc(MIB, 'j'))).toBe(true);
    storage.plant('over', Buffer.alloc(MIB + 1));
    const error = await expectFailure(backend.read('over'), 'corrupt');
    expect(error.message).toContain('over');
  });
}

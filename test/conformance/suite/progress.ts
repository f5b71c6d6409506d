import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { failureOf } from '../failure.ts';
import { sourceIn } from '../source.ts';
import type { Bench } from '../storage.ts';

/** A megabyte short of a round number of any buffer. */
const SIZE = 5_000_000;

export function progress(current: () => Bench): void {
  test('a put tells the bytes that moved, up to the size', async () => {
    const { backend, local } = current();
    const source = sourceIn(local, SIZE);
    const told: number[] = [];
    await backend.put('aa/file', source.file, { ...source, onProgress: (bytes) => told.push(bytes) });
    await expectClimb(told, SIZE);
  });

  test('a get tells the bytes that moved, up to the size', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', Buffer.alloc(SIZE, 'x'));
    const told: number[] = [];
    await backend.get('aa/file', join(local, 'fetched'), { onProgress: (bytes) => told.push(bytes) });
    await expectClimb(told, SIZE);
  });

  test.each([1, 1000, 1024 * 1024])('a put of %i bytes tells no more than that', async (size) => {
    const { backend, local } = current();
    const source = sourceIn(local, size);
    const told: number[] = [];
    await backend.put('aa/file', source.file, { ...source, onProgress: (bytes) => told.push(bytes) });
    await expectClimb(told, size);
  });

  test.each([1000, 2_500_000])(
    'a local file longer than the %i bytes promised is not told beyond them',
    async (size) => {
      const { backend, local } = current();
      const source = sourceIn(local, SIZE);
      const told: number[] = [];
      const options = { size, sha256: source.sha256, onProgress: (bytes: number) => told.push(bytes) };
      await failureOf(backend.put('aa/file', source.file, options));
      expect(told.filter((bytes) => bytes > size)).toEqual([]);
    },
  );
}

/** Never falling, never above the size, ending at it; and silent after the call has returned. */
async function expectClimb(told: number[], size: number): Promise<void> {
  const atReturn = told.length;
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(told.at(-1)).toBe(size);
  expect(told.every((bytes) => bytes >= 0)).toBe(true);
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  expect(told.length).toBe(atReturn);
}

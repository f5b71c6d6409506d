import { expect, test } from 'vitest';
import { sourceIn } from '../source.ts';
import { ANCHOR, type Bench, leftIn, TEMP, tempIn } from '../storage.ts';

/** A path as the backends name their temp files. */
const ours = (purpose: string): string => `${TEMP}/depot-${purpose}-${'0123456789abcdef'.repeat(2)}`;

const DAY = 24 * 60 * 60 * 1000;

export function tidying(current: () => Bench): void {
  test('a removed file is absent, and removing it again is fine', async () => {
    const { backend, storage } = current();
    storage.plant('aa/bb/file', 'x');
    storage.plant('aa/bb/other', 'x');
    await backend.remove('aa/bb/file');
    expect(await backend.stat('aa/bb/file')).toBeUndefined();
    expect(storage.content('aa/bb/other')?.toString()).toBe('x');
    await backend.remove('aa/bb/file');
    await backend.remove('never/was/there');
  });

  test('a folder of objects stays when its last file is removed', async () => {
    const { backend, storage } = current();
    storage.plant('aa/bb/file', 'x');
    await backend.remove('aa/bb/file');
    expect(leftIn(storage)).toEqual(['aa', 'aa/bb']);
  });

  test('a folder in the temp folder goes with its last file', async () => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, 'probe');
    await backend.put(`${TEMP}/probe-1/one`, source.file, source);
    await backend.put(`${TEMP}/probe-1/two`, source.file, source);
    await backend.remove(`${TEMP}/probe-1/one`);
    expect(tempIn(storage)).toEqual([`${TEMP}/probe-1`, `${TEMP}/probe-1/two`]);
    await backend.remove(`${TEMP}/probe-1/two`);
    expect(storage.everything()).toEqual([ANCHOR, TEMP]);
  });

  test('a sweep removes old temp files and folders, leaves young ones, and counts', async () => {
    const { backend, storage } = current();
    const [old, oldFolder, young, youngFolder] = ['put', 'probe', 'write', 'folder'].map(ours);
    storage.plant(old!, 'x', 2 * DAY);
    storage.plant(`${oldFolder}/inner`, 'x', 2 * DAY);
    storage.setAge(oldFolder!, 2 * DAY);
    storage.plant(young!, 'x', DAY / 2);
    storage.plantFolder(youngFolder!, DAY / 2);
    storage.plant('aa/old object', 'x', 2 * DAY);
    expect(await backend.sweep(DAY)).toBe(2);
    expect(leftIn(storage)).toEqual(['aa', 'aa/old object', young, youngFolder].sort());
    expect(await backend.sweep(DAY)).toBe(0);
  });

  test('a sweep leaves alone what somebody else keeps in the temp folder', async () => {
    const { backend, storage } = current();
    const theirs = ['notes.txt', 'thesis', 'put-1', 'depot-notes.txt', 'depot-2024', 'img-20240101123456789'];
    for (const name of theirs) storage.plant(`${TEMP}/${name}`, 'x', 30 * DAY);
    storage.plant(`${TEMP}/folder/inner`, 'x', 30 * DAY);
    storage.setAge(`${TEMP}/folder`, 30 * DAY);
    const before = leftIn(storage);
    expect(await backend.sweep(DAY)).toBe(0);
    expect(leftIn(storage)).toEqual(before);
  });

  test('a sweep of a store that was never written to removes nothing', async () => {
    const { backend, storage } = current();
    expect(await backend.sweep(0)).toBe(0);
    storage.dropFolder(TEMP);
    expect(await backend.sweep(0)).toBe(0);
  });

  test('a sweep spares what an upload that is under way has written', async () => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, 5_000_000);
    const sweeps: Promise<number>[] = [];
    const onProgress = (): void => {
      if (sweeps.length === 0) sweeps.push(storage.open().sweep(DAY));
    };
    expect(await backend.put('aa/file', source.file, { ...source, onProgress })).toBe('created');
    expect(await Promise.all(sweeps)).toEqual([0]);
    expect(storage.content('aa/file')?.equals(source.content)).toBe(true);
  });

  test('the space is a number of bytes, where the storage tells it', async () => {
    const bytes = await current().backend.space();
    if (bytes === undefined) return;
    expect(Number.isFinite(bytes)).toBe(true);
    expect(bytes).toBeGreaterThan(0);
  });
}

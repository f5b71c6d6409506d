import { expect, test } from 'vitest';
import type { Backend } from '../../../backends/backend.ts';
import { failureOf } from '../failure.ts';
import { ANCHOR, type Bench, TEMP } from '../storage.ts';
import { ODD_NAMES } from './writing.ts';

export function listing(current: () => Bench): void {
  test('a list tells path, size and version of every file below a folder, at any depth', async () => {
    const { backend, storage } = current();
    storage.plant('one', '1');
    storage.plant('aa/two', '22');
    storage.plant('aa/bb/cc/three', '333');
    expect(await pathsBelow(backend, '')).toEqual(['aa/bb/cc/three', 'aa/two', ANCHOR, 'one'].sort());
    for await (const entry of backend.list('')) expect(entry).toEqual(await backend.stat(entry.path));
  });

  test('a prefix is a folder, not the beginning of a name', async () => {
    const { backend, storage } = current();
    for (const path of ['a/x', 'aa/x', 'aa/bb/y', 'aab/x']) storage.plant(path, 'x');
    expect(await pathsBelow(backend, 'a')).toEqual(['a/x']);
    expect(await pathsBelow(backend, 'aa')).toEqual(['aa/bb/y', 'aa/x']);
    expect(await pathsBelow(backend, 'aa/bb')).toEqual(['aa/bb/y']);
  });

  test('a folder that is absent or empty has no files', async () => {
    const { backend, storage } = current();
    storage.plantFolder('empty');
    expect(await pathsBelow(backend, 'absent/folder')).toEqual([]);
    expect(await pathsBelow(backend, 'empty')).toEqual([]);
  });

  test('temp files are left out', async () => {
    const { backend, storage } = current();
    storage.plant(`${TEMP}/put-1`, 'x');
    storage.plant(`${TEMP}/probe-1/x`, 'x');
    storage.plant(`aa/${TEMP}/kept`, 'x');
    expect(await pathsBelow(backend, '')).toEqual([`aa/${TEMP}/kept`, ANCHOR].sort());
  });

  test('names come back as they were given', async () => {
    const { backend, storage } = current();
    for (const path of ODD_NAMES) storage.plant(path, 'x');
    expect(await pathsBelow(backend, '')).toEqual([...ODD_NAMES, ANCHOR].sort());
  });

  test('a list may be left early, and taken up anew', async () => {
    const { backend, storage } = current();
    for (let index = 0; index < 300; index++) storage.plant(`${index % 16}/${index % 7}/${index}`, 'x');
    let taken = 0;
    for await (const _ of backend.list('')) if (++taken === 5) break;
    expect(taken).toBe(5);
    expect(await pathsBelow(backend, '')).toHaveLength(301);
  });

  test('a list streams: files may come and go under it', async () => {
    const { backend, storage } = current();
    for (let index = 0; index < 50; index++) storage.plant(`${index}/file`, 'x');
    const seen: string[] = [];
    for await (const { path } of backend.list('')) {
      seen.push(path);
      for (const other of [`${seen.length * 2}/file`, `${seen.length * 3}/file`]) {
        if (!seen.includes(other)) await backend.remove(other);
      }
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeLessThan(51);
  });

  test('a storage that goes away under a list is not taken for its end', async () => {
    const { backend, storage } = current();
    for (let index = 0; index < 20; index++) storage.plant(`${index}/file`, 'x');
    const list = backend.list('')[Symbol.asyncIterator]();
    await list.next();
    storage.unmount('empty');
    const rest = async () => {
      while (!(await list.next()).done);
    };
    expect((await failureOf(rest())).kind).toMatch(/^(no-store|unreachable)$/);
  });
}

async function pathsBelow(backend: Backend, prefix: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of backend.list(prefix)) paths.push(path);
  return paths.sort();
}

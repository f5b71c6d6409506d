import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../backends/backend.ts';
import { expectFailure } from '../failure.ts';
import { type Source, sourceIn } from '../source.ts';
import { ANCHOR, type Bench, leftIn, type Storage, TEMP } from '../storage.ts';

/** All verbs but `create`, on a path that is absent. */
const VERBS: Record<string, (backend: Backend, source: Source, local: string) => Promise<unknown>> = {
  stat: (backend) => backend.stat('aa/file'),
  list: async (backend) => {
    for await (const _ of backend.list(''));
  },
  'list of a folder': async (backend) => {
    for await (const _ of backend.list('aa'));
  },
  put: (backend, source) => backend.put('aa/new', source.file, source),
  'put into a folder that stood': (backend, source) => backend.put('aa/bb/new', source.file, source),
  'put of a replacement': (backend, source) => backend.put('aa/new', source.file, { ...source, replace: '1' }),
  get: (backend, _, local) => backend.get('aa/file', join(local, 'fetched')),
  digest: (backend) => backend.digest('aa/file'),
  read: (backend) => backend.read('aa/file'),
  'read of the anchor': (backend) => backend.read(ANCHOR),
  write: (backend) => backend.write('aa/new', Buffer.from('x')),
  remove: (backend) => backend.remove('aa/file'),
  sweep: (backend) => backend.sweep(0),
  space: (backend) => backend.space(),
};

export function mounting(current: () => Bench, prepare: () => Storage): void {
  describe.each(['gone', 'empty'] as const)('when the storage is not mounted and its root is %s', (how) => {
    test.each(Object.keys(VERBS))('%s says that no store is there, and creates nothing', async (verb) => {
      const { storage, backend, local } = current();
      storage.plant('aa/bb/file', 'x');
      expect(await backend.stat('aa/bb/file')).toBeDefined();
      storage.unmount(how);
      const source = sourceIn(local, 10);
      try {
        const error = await expectFailure(VERBS[verb]!(backend, source, local), 'no-store');
        expect(error.why).toContain('not mounted');
      } finally {
        expect(storage.everything()).toEqual(how === 'gone' ? undefined : []);
      }
    });

    test('a large put and a handle that was opened later say so as well', async () => {
      const { storage, local } = current();
      storage.unmount(how);
      const source = sourceIn(local, 2_000_000);
      const backend = storage.open();
      await expectFailure(backend.put('aa/new', source.file, source), 'no-store');
      await expectFailure(backend.stat('aa/new'), 'no-store');
      expect(storage.everything()).toEqual(how === 'gone' ? undefined : []);
    });
  });

  test('a root that has everything but the anchor is none either, and gets no new folders', async () => {
    const { storage, backend, local } = current();
    storage.dropFolder(ANCHOR);
    const source = sourceIn(local, 10);
    await expectFailure(backend.put('aa/bb/new', source.file, source), 'no-store');
    await expectFailure(backend.stat('aa/bb/new'), 'no-store');
    await expectFailure(backend.get('aa/bb/new', join(local, 'fetched')), 'no-store');
    expect(storage.everything()).toEqual([TEMP]);
  });

  test('a storage that goes away in the middle of a put gets no folders', async () => {
    const { storage, backend, local } = current();
    const source = sourceIn(local, 5_000_000);
    const onProgress = (): void => storage.unmount('empty');
    await expectFailure(backend.put('aa/bb/new', source.file, { ...source, onProgress }), 'no-store');
    expect(storage.everything()).toEqual([]);
  });

  test('create makes the root, and is fine when everything is there', async () => {
    const storage = prepare();
    try {
      const backend = storage.open();
      expect(storage.everything()).toBeUndefined();
      await backend.create();
      expect(storage.everything()).toBeDefined();
      expect(await backend.write(ANCHOR, Buffer.from('mine'))).toBe('created');
      storage.plant('aa/file', 'x');
      await backend.create();
      await storage.open().create();
      expect(storage.content('aa/file')?.toString()).toBe('x');
      expect(storage.content(ANCHOR)?.toString()).toBe('mine');
    } finally {
      storage.dispose();
    }
  });

  test('between create and the anchor nothing is absent yet, and the anchor can be written', async () => {
    const storage = prepare();
    try {
      const backend = storage.open();
      await backend.create();
      await expectFailure(backend.stat('aa/file'), 'no-store');
      await expectFailure(backend.read(ANCHOR), 'no-store');
      await backend.write(ANCHOR, Buffer.from('{}'));
      expect(await backend.stat('aa/file')).toBeUndefined();
    } finally {
      storage.dispose();
    }
  });

  test('a temp folder that somebody removed is made again while the anchor stands', async () => {
    const { storage, backend, local } = current();
    for (const size of [10, 2_000_000]) {
      const source = sourceIn(local, size);
      storage.dropFolder(TEMP);
      expect(await backend.put(`aa/${size}`, source.file, source)).toBe('created');
      storage.dropFolder(TEMP);
      expect(await backend.write(`bb/${size}`, Buffer.from('x'))).toBe('created');
    }
    expect(leftIn(storage)).toEqual(['aa', 'aa/10', 'aa/2000000', 'bb', 'bb/10', 'bb/2000000']);
  });

  test('a folder of objects that somebody removed is made again', async () => {
    const { storage, backend, local } = current();
    const source = sourceIn(local, 10);
    await backend.put('aa/bb/file', source.file, source);
    storage.dropFolder('aa');
    expect(await backend.stat('aa/bb/file')).toBeUndefined();
    expect(await backend.put('aa/bb/file', source.file, source)).toBe('created');
  });
}

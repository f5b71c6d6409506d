import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { expectFailure, failureOf } from './failure.ts';
import { folderStorage } from './folder-storage.ts';
import { sourceIn } from './source.ts';
import { ANCHOR, leftIn, type Storage, TEMP } from './storage.ts';

let storage: Storage;
let root: string;
let backend: Backend;
beforeEach(async () => {
  storage = folderStorage(tmpdir());
  root = storage.location!;
  backend = storage.open();
  await backend.create();
  await backend.write(ANCHOR, Buffer.from('{}'));
});
afterEach(() => storage.dispose());

function folderAt(path: string): Backend {
  return openFolder(path, { location: path, anchor: ANCHOR, temp: TEMP, platform: process.platform });
}

test('create says that the parent is missing, and does not make it', async () => {
  const error = await expectFailure(folderAt(join(root, 'not/there')).create(), 'no-store');
  expect(error.what).toContain(join(root, 'not/there'));
  expect(leftIn(storage)).toEqual([]);
});

test('create where a file stands says so, and is not a mistake of this program', async () => {
  storage.plant('file', 'x');
  const error = await failureOf(folderAt(join(root, 'file')).create());
  expect(error.kind).toMatch(/^(no-store|configuration|conflict)$/);
  expect(storage.content('file')?.toString()).toBe('x');
});

test('a root that is a file is no store, for every verb that is asked', async () => {
  storage.plant('file', 'x');
  const wrong = folderAt(join(root, 'file'));
  const source = sourceIn(dirname(root), 10);
  await expectFailure(wrong.stat('aa/x'), 'no-store');
  await expectFailure(wrong.read(ANCHOR), 'no-store');
  await expectFailure(wrong.digest('aa/x'), 'no-store');
  await expectFailure(wrong.get('aa/x', join(dirname(root), 'fetched')), 'no-store');
  await expectFailure(wrong.put('aa/x', source.file, source), 'no-store');
  await expectFailure(wrong.write('x', Buffer.from('x')), 'no-store');
});

test('a root may be a symbolic link, and may be written with a slash at its end', async () => {
  const link = join(dirname(root), 'link');
  symlinkSync(root, link);
  const source = sourceIn(dirname(root), 10);
  for (const [index, path] of [link, `${root}/`, `${link}/`].entries()) {
    expect(await folderAt(path).put(`aa/${index}/x`, source.file, source)).toBe('created');
  }
  expect(leftIn(storage)).toEqual(['aa', 'aa/0', 'aa/0/x', 'aa/1', 'aa/1/x', 'aa/2', 'aa/2/x']);
});

test('folders of objects may be symbolic links to another disk, a dangling one is no object', async () => {
  const other = join(dirname(root), 'other');
  mkdirSync(other);
  symlinkSync(other, join(root, 'aa'));
  symlinkSync(join(other, 'nowhere'), join(root, 'dangling'));
  const source = sourceIn(dirname(root), 10);
  expect(await backend.put('aa/x', source.file, source)).toBe('created');
  expect(await backend.stat('aa/x')).toMatchObject({ size: 10 });
  expect(await backend.stat('dangling')).toBeUndefined();
});

test('a small read of something huge is refused without reading it into memory', async () => {
  writeFileSync(join(root, 'huge'), '');
  truncateSync(join(root, 'huge'), 3 * 1024 ** 3);
  const before = process.memoryUsage().arrayBuffers;
  await expectFailure(backend.read('huge'), 'corrupt');
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
});

test('a put whose local file is far longer than promised is refused before it fills the storage', async () => {
  const file = join(dirname(root), 'long');
  writeFileSync(file, '');
  truncateSync(file, 4 * 1024 * 1024);
  let moved = 0;
  const options = { size: 10, sha256: '0'.repeat(64), onProgress: (bytes: number) => (moved = bytes) };
  await expectFailure(backend.put('aa/x', file, options), 'corrupt');
  expect(moved).toBeLessThan(2 * 1024 * 1024);
});

test('a local folder that is missing fails a fetch, and is not taken for a missing object', async () => {
  storage.plant('aa/x', 'x');
  const error = await failureOf(backend.get('aa/x', join(dirname(root), 'missing/fetched')));
  expect(error.why).toContain('ENOENT');
});

test('a temp folder of two levels is made with the root, and made again', async () => {
  const nested = openFolder(root, { location: root, anchor: ANCHOR, temp: 'lfs/tmp', platform: process.platform });
  const source = sourceIn(dirname(root), 10);
  expect(await nested.put('lfs/objects/aa/x', source.file, source)).toBe('created');
  rmSync(join(root, 'lfs'), { recursive: true });
  expect(await nested.put('lfs/objects/aa/x', source.file, source)).toBe('created');
  const listed: string[] = [];
  storage.plant('lfs/tmp/left', 'x');
  for await (const { path } of nested.list('')) listed.push(path);
  expect(listed.sort()).toEqual([ANCHOR, 'lfs/objects/aa/x']);
});

test('the version is that of size and time, so that every machine sees the same', async () => {
  storage.plant('x', '1234', 1000);
  const [one, two] = [await backend.stat('x'), await folderAt(root).stat('x')];
  expect(one?.version).toBe(two?.version);
});

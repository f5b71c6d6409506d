import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { DIRECT, WAITING } from '../../backends/folder/calls.ts';
import { folderStorage } from './folder-storage.ts';
import { hashOf, sourceIn } from './source.ts';
import { ANCHOR, leftIn, type Storage, TEMP, tempIn } from './storage.ts';

const DAY = 24 * 60 * 60 * 1000;
const ASIDE = `${TEMP}/depot-aside-${'0123456789abcdef'}@aa%2Fbb%2Ffile`;

let storage: Storage;
let backend: Backend;
beforeEach(async () => {
  storage = folderStorage(tmpdir());
  backend = storage.open();
  await backend.create();
  await backend.write(ANCHOR, Buffer.from('{}'));
});
afterEach(() => storage.dispose());

// A healer that is killed between two renames may have taken a good file along, which a faster one had just put there.
test('what a dead healer moved aside, and nobody replaced, is put back by a sweep', async () => {
  storage.plant('aa/bb/other', 'x');
  storage.plant(ASIDE, 'the only copy', 2 * DAY);
  await backend.sweep(DAY);
  expect(storage.content('aa/bb/file')?.toString()).toBe('the only copy');
  expect(tempIn(storage)).toEqual([]);
});

// Whoever may write to tmp/ may give a file any name; what a sweep puts back has the rights of whoever pushes next.
test.each(['..%2Foutside', 'aa%2F..%2F..%2Foutside', '%2Foutside', '..%5Coutside', 'aa%2F%2Fx', '%E0%A4%A'])(
  'a name that leads out of the store (%s) is not followed, and does not stop a sweep',
  async (name) => {
    storage.plant(`${TEMP}/depot-aside-${'0123456789abcdef'}@${name}`, 'evil', 2 * DAY);
    storage.plant(`${TEMP}/depot-put-${'0123456789abcdef'}`, 'x', 2 * DAY);
    const around = () => readdirSync(dirname(storage.location!));
    const before = around();
    await backend.sweep(DAY);
    expect(around()).toEqual(before);
    expect(leftIn(storage)).toEqual([]);
  },
);

test('what was moved aside and replaced is removed by a sweep', async () => {
  storage.plant('aa/bb/file', 'the good one');
  storage.plant(ASIDE, 'the bad one', 2 * DAY);
  await backend.sweep(DAY);
  expect(storage.content('aa/bb/file')?.toString()).toBe('the good one');
  expect(tempIn(storage)).toEqual([]);
});

test('what was moved aside stays while its folder is not there', async () => {
  storage.plant(ASIDE, 'the only copy', 2 * DAY);
  await backend.sweep(DAY);
  expect(storage.content(ASIDE)?.toString()).toBe('the only copy');
});

test('on a local disk a file is replaced in one step: its name is never free', async () => {
  const names: string[] = [];
  const watching = {
    ...DIRECT,
    rename: (from: string, to: string) => {
      names.push(to);
      return DIRECT.rename(from, to);
    },
  };
  const local = folderStorage(tmpdir(), watching);
  try {
    const here = local.open();
    await here.create();
    await here.write(ANCHOR, Buffer.from('{}'));
    local.plant('aa/file', 'bad');
    const source = sourceIn(tmpdir(), 100);
    const replace = (await here.stat('aa/file'))?.version;
    expect(await here.put('aa/file', source.file, { ...source, replace })).toBe('created');
    expect(hashOf(local.content('aa/file')!)).toBe(source.sha256);
    expect(names.filter((name) => name.includes('aside'))).toEqual([]);
    rmSync(source.file);
  } finally {
    local.dispose();
  }
});

// The share goes away between the temp file and the final name, and old folders lie under its mount point.
test.each([
  ['called directly', DIRECT],
  ['waited for', WAITING],
])('an object is not said to be stored when the share went away on the way, calls %s', async (_, calls) => {
  const leaving = {
    ...calls,
    link: (from: string, to: string) => {
      rmSync(`${gone.location}/${ANCHOR}`);
      return calls.link(from, to);
    },
  };
  const gone = folderStorage(tmpdir(), leaving);
  try {
    gone.plant('aa/old', 'x');
    const here = gone.open();
    await here.create();
    writeFileSync(`${gone.location}/${ANCHOR}`, '{}');
    const source = sourceIn(tmpdir(), 100);
    await expect(here.put('aa/file', source.file, source)).rejects.toMatchObject({ kind: 'no-store' });
    expect(leftIn(gone)).toEqual(['aa', 'aa/old']);
    rmSync(source.file);
  } finally {
    gone.dispose();
  }
});

// Another writer may have been told that the object is there: it must not go because a look at the anchor failed.
test('an object keeps its name when the anchor cannot be asked afterwards', async () => {
  let linked = false;
  const failing = {
    ...DIRECT,
    link: (from: string, to: string) => {
      DIRECT.link(from, to);
      linked = true;
    },
    stat: (path: string) => {
      if (linked && path.endsWith(ANCHOR)) throw Object.assign(new Error('EIO: i/o error, stat'), { code: 'EIO' });
      return DIRECT.stat(path);
    },
  };
  const shaky = folderStorage(tmpdir(), failing);
  try {
    const here = shaky.open();
    await here.create();
    writeFileSync(`${shaky.location}/${ANCHOR}`, '{}');
    const source = sourceIn(tmpdir(), 100);
    await expect(here.put('aa/file', source.file, source)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(hashOf(shaky.content('aa/file')!)).toBe(source.sha256);
    rmSync(source.file);
  } finally {
    shaky.dispose();
  }
});

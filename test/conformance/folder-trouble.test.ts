import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { describe as inWords } from '../../backends/errors.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { type Break, type BrokenCalls, brokenCalls } from './broken-calls.ts';
import { expectFailure } from './failure.ts';
import { folderStorage } from './folder-storage.ts';
import { hashOf, type Source, sourceIn } from './source.ts';
import { ANCHOR, leftIn, type Storage, TEMP, tempIn } from './storage.ts';

// What shares do to a folder backend: files that somebody holds open, rights that are missing, handles that went stale, a
// share that goes away in the middle. What the user is told, and that nothing is lost.

interface Bench {
  storage: Storage;
  backend: Backend;
  source: Source;
  broken: BrokenCalls;
  local: string;
}

const benches: Bench[] = [];
afterEach(() => {
  for (const { storage, local, broken } of benches.splice(0)) {
    expect(broken.renamedOver).toEqual([]);
    storage.dispose();
    rmSync(local, { recursive: true, force: true });
  }
});

/** A store in order, opened by somebody for whom these calls fail. */
async function bench(list: Break[], platform: NodeJS.Platform = process.platform): Promise<Bench> {
  const storage = folderStorage(tmpdir());
  const sound = storage.open();
  await sound.create();
  await sound.write(ANCHOR, Buffer.from('{}'));
  const broken = brokenCalls(list);
  const root = storage.location!;
  const backend = openFolder(root, {
    location: '//srv/lfs',
    anchor: ANCHOR,
    temp: TEMP,
    platform,
    calls: broken.calls,
  });
  const local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  const made = { storage, backend, source: sourceIn(local, 1000), broken, local };
  benches.push(made);
  return made;
}

const NO_LINKS: Break = { call: 'link', code: 'ENOTSUP' };

test.each<[string, Break[]]>([
  ['the link', [{ call: 'link', code: 'EBUSY', times: 3 }]],
  ['the rename, without links', [NO_LINKS, { call: 'rename', code: 'EBUSY', times: 3 }]],
  ['the rename, as "not permitted"', [NO_LINKS, { call: 'rename', code: 'EPERM', times: 3 }]],
  ['the rename, as "denied"', [NO_LINKS, { call: 'rename', code: 'EACCES', times: 3 }]],
  ['the removal of the temp file', [{ call: 'unlink', code: 'EBUSY', times: 3 }]],
  ['the temp file', [{ call: 'open', code: 'EBUSY', times: 3 }]],
  ['the new folder', [{ call: 'mkdir', code: 'EBUSY', times: 3 }]],
  ['a look', [{ call: 'stat', code: 'EBUSY', times: 3 }]],
  ['a stale handle of a folder', [{ call: 'link', code: 'ESTALE', times: 3 }]],
])('a put goes through when %s is held up three times', async (_, list) => {
  const { backend, storage, source, broken } = await bench(list);
  expect(await backend.put('aa/bb/x', source.file, source)).toBe('created');
  expect(broken.met).toBeGreaterThanOrEqual(3);
  expect(storage.content('aa/bb/x')).toEqual(source.content);
  expect(tempIn(storage)).toEqual([]);
});

test.each(['EPERM', 'EACCES'])(
  'on Windows, a link that is refused with %s three times is no lack of links',
  async (code) => {
    const { backend, storage, source } = await bench([{ call: 'link', code, times: 3 }], 'win32');
    expect(await backend.put('aa/x', source.file, source)).toBe('created');
    expect(storage.content('aa/x')).toEqual(source.content);
  },
);

test.each(['EBUSY', 'ESTALE', 'EINVAL'])(
  'an object that %s keeps from being read three times is read',
  async (code) => {
    const { backend, storage, source, local } = await bench([{ call: 'open', code, times: 3, path: 'aa' }]);
    storage.plant('aa/x', source.content);
    const copy = join(local, 'copy');
    expect(await backend.get('aa/x', copy, { expect: source })).toBe(1000);
    expect(await backend.digest('aa/x')).toBe(source.sha256);
  },
);

test('a removal waits for a reader who holds the file, too', async () => {
  const { backend, storage } = await bench([{ call: 'unlink', code: 'EPERM', times: 3 }]);
  storage.plant('aa/x', 'x');
  await backend.remove('aa/x');
  expect(storage.content('aa/x')).toBeUndefined();
});

test.each(['EACCES', 'EPERM'])(
  'plainly denied (%s) is told at once: the temp file is asked for one time',
  async (code) => {
    const { backend, storage, source, broken } = await bench([{ call: 'open', code }]);
    const error = await expectFailure(backend.put('aa/x', source.file, source), 'denied');
    expect(broken.met).toBe(1);
    expect(error.temporary).toBe(false);
    expect(inWords(error)).toMatch(
      new RegExp(`^cannot store .*aa/x: .*\\(?${code}.*\nhint: ask whoever owns the storage for write access`),
    );
    expect(leftIn(storage)).toEqual([]);
  },
);

test('denied for ever: the object is not there, its temp file is gone, and the next one does not wait any more', async () => {
  const { backend, storage, source, broken } = await bench([
    NO_LINKS,
    { call: 'rename', code: 'EACCES', path: '/aa/' },
  ]);
  storage.plantFolder('aa');
  const error = await expectFailure(backend.put('aa/x', source.file, source), 'denied');
  expect(inWords(error)).toContain('hint: ask whoever owns the storage for write access');
  expect(leftIn(storage)).toEqual(['aa']);
  const before = broken.met;
  expect(before).toBeGreaterThan(5);
  await expectFailure(backend.put('aa/x', source.file, source), 'denied');
  // One link, one rename.
  expect(broken.met - before).toBe(2);
  expect(leftIn(storage)).toEqual(['aa']);
  broken.mend();
  expect(await backend.put('aa/x', source.file, source)).toBe('created');
});

test('held for ever: it is given up, and said that another program holds the file', async () => {
  const { backend, storage, source } = await bench([NO_LINKS, { call: 'rename', code: 'EBUSY', path: '/aa/' }]);
  storage.plantFolder('aa');
  const error = await expectFailure(backend.put('aa/x', source.file, source), 'conflict');
  expect(error.temporary).toBe(true);
  expect(inWords(error)).toContain('hint: another program holds the file open');
  expect(leftIn(storage)).toEqual(['aa']);
});

test('what is held for ever costs its time once, not for each object', async () => {
  const { backend, source, broken } = await bench([{ call: 'link', code: 'ESTALE' }]);
  await expectFailure(backend.put('aa/x', source.file, source), 'unreachable');
  const before = broken.met;
  expect(before).toBeGreaterThan(5);
  await expectFailure(backend.put('aa/y', source.file, source), 'unreachable');
  expect(broken.met - before).toBe(1);
});

test('a temp file that somebody holds does not hold up a stored object: it is left to a sweep', async () => {
  const { backend, storage, source, broken } = await bench([{ call: 'unlink', code: 'EBUSY' }]);
  expect(await backend.put('aa/x', source.file, source)).toBe('created');
  expect(broken.met).toBeLessThan(8);
  broken.mend();
  await storage.open().sweep(-1);
  expect(tempIn(storage)).toEqual([]);
});

test('who waits for a held file is stopped by a cancel, and leaves nothing', async () => {
  const { backend, storage, source, broken } = await bench([{ call: 'link', code: 'EBUSY' }]);
  storage.plantFolder('aa');
  const cancel = new AbortController();
  const put = backend.put('aa/x', source.file, { ...source, signal: cancel.signal });
  while (broken.met < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  cancel.abort();
  const after = broken.met;
  await expectFailure(put, 'cancelled');
  expect(broken.met - after).toBeLessThanOrEqual(1);
  expect(leftIn(storage)).toEqual(['aa']);
});

const GONE = ['ENOTCONN', 'EHOSTDOWN', 'ECONNRESET', 'ETIMEDOUT', 'EIO', 'UNKNOWN'];

test.each(
  GONE.flatMap((code) =>
    (['open', 'fsync', 'close', 'mkdir', 'link', 'stat'] as const).map((call): [string, Break['call']] => [code, call]),
  ),
)('a share that goes away (%s at %s) in a put is told as such, and nothing is lost', async (code, call) => {
  const { backend, storage, source, broken } = await bench([
    { call, code, ...(call === 'link' && { path: 'aa' }) },
    ...(call === 'link' ? [{ call: 'rename', code } as const] : []),
  ]);
  storage.plant('old/y', 'what was there');
  const error = await expectFailure(backend.put('aa/x', source.file, source), 'unreachable');
  expect(error.temporary).toBe(true);
  expect(inWords(error)).toMatch(/^cannot store .*aa\/x: .*\nhint: .*then try again/);
  broken.mend();
  // Nothing, or, where only the last look failed, all of it.
  const found = storage.content('aa/x');
  if (found) expect(hashOf(found)).toBe(source.sha256);
  expect(['created', 'exists']).toContain(await backend.put('aa/x', source.file, source));
  expect(storage.content('aa/x')).toEqual(source.content);
  expect(storage.content('old/y')?.toString()).toBe('what was there');
  await backend.sweep(-1);
  expect(tempIn(storage)).toEqual([]);
});

test.each(GONE)('a share that goes away (%s) in a fetch is no missing object, and leaves no file', async (code) => {
  const { backend, storage, local } = await bench([{ call: 'open', code, path: 'aa' }]);
  storage.plant('aa/x', 'x');
  await expectFailure(backend.get('aa/x', join(local, 'copy')), 'unreachable');
  await expectFailure(backend.digest('aa/x'), 'unreachable');
  expect(await backend.stat('aa/x')).toMatchObject({ size: 1 });
});

test.each(GONE)('a share of which not even the marker can be asked (%s) is away, not without a store', async (code) => {
  const { backend } = await bench([{ call: 'stat', code }]);
  await expectFailure(backend.stat('aa/x'), 'unreachable');
  await expectFailure(backend.read('nothing'), 'unreachable');
});

// Healing moves the damaged file aside first, then publishes: between the two, the name is free.
test.each<[string, Break[], 'conflict' | 'denied' | 'unreachable']>([
  ['is held open by a reader', [{ call: 'rename', code: 'EBUSY' }], 'conflict'],
  ['may not be moved', [{ call: 'rename', code: 'EACCES' }], 'denied'],
  ['is on a share that goes away', [{ call: 'rename', code: 'ENOTCONN' }], 'unreachable'],
])('a damaged object that %s stays where it is', async (_, list, kind) => {
  const { backend, storage, source, broken } = await bench(list);
  storage.plant('aa/x', 'damaged');
  const replace = (await backend.stat('aa/x'))?.version;
  await expectFailure(backend.put('aa/x', source.file, { ...source, replace }), kind);
  expect(storage.content('aa/x')?.toString()).toBe('damaged');
  broken.mend();
  expect(await backend.put('aa/x', source.file, { ...source, replace })).toBe('created');
  expect(storage.content('aa/x')).toEqual(source.content);
});

test('a share that goes away once the damaged object is aside: it is put back, or is so by a later sweep', async () => {
  const { backend, storage, source, broken } = await bench([]);
  storage.plant('aa/x', 'damaged');
  const replace = (await backend.stat('aa/x'))?.version;
  const { link, rename } = broken.calls;
  let away = false;
  const gone = () => Object.assign(new Error('ENOTCONN: socket is not connected'), { code: 'ENOTCONN' });
  Object.assign(broken.calls, {
    link: async (from: string, to: string) => {
      if (away) throw gone();
      return link(from, to);
    },
    rename: async (from: string, to: string) => {
      if (away) throw gone();
      await rename(from, to);
      if (to.includes('aside')) away = true;
    },
  });
  await expectFailure(backend.put('aa/x', source.file, { ...source, replace }), 'unreachable');
  expect(tempIn(storage).some((path) => path.includes('aside'))).toBe(true);
  away = false;
  await storage.open().sweep(-1);
  expect(storage.content('aa/x')?.toString()).toBe('damaged');
  expect(tempIn(storage)).toEqual([]);
});

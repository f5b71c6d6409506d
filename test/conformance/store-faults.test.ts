import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { objectPath } from '../../agent/layout.ts';
import { parseOid } from '../../agent/oid.ts';
import { STALE, storeOver } from '../../agent/store.ts';
import { DepotError, type Kind } from '../../backends/errors.ts';
import { expectFailure } from './failure.ts';
import { type Fault, faulty } from './faulty.ts';
import { folderStorage } from './folder-storage.ts';
import { memoryStorage } from './memory.ts';
import { sourceIn } from './source.ts';
import { ANCHOR, type Storage, TEMP, tempIn } from './storage.ts';

const KINDS: Kind[] = ['denied', 'no-space', 'unreachable', 'no-store', 'conflict', 'credentials', 'internal'];

describe.each([
  { name: 'memory', prepare: memoryStorage },
  { name: 'a folder', prepare: () => folderStorage(tmpdir()) },
])('the store over $name', ({ prepare }) => {
  let local: string;
  let storage: Storage;
  beforeEach(async () => {
    local = mkdtempSync(join(tmpdir(), 'depot-local-'));
    storage = prepare();
    await storage.open().create();
    await storage.open().write(ANCHOR, Buffer.from('{}'));
  });
  afterEach(() => {
    storage.dispose();
    rmSync(local, { recursive: true });
  });

  const storeWith = (script: Fault[], verify: 'size' | 'content' = 'content') =>
    storeOver(faulty(storage.open(), script), { objects: '', verify });

  function objectOf(size: number) {
    const source = sourceIn(local, size);
    const oid = parseOid(source.sha256)!;
    return { ...source, oid, path: objectPath(oid) };
  }

  const places = (['before', 'middle', 'after'] as const).flatMap((at) => KINDS.map((kind) => ({ at, kind })));
  test.each(places)(
    'a put that fails $at its bytes with $kind fails with that, and a second one heals',
    async (fault) => {
      const { oid, size, file, path, content } = objectOf(2_500_000);
      const failure = failed(fault.kind);
      const store = storeWith([{ verb: 'put', at: fault.at, meet: failure }]);
      expect(await expectFailure(store.put(oid, size, file), fault.kind)).toBe(failure);
      // After the effect the object is whole; before it there is nothing. A part there never is.
      if (fault.at === 'after') expect(storage.content(path)?.equals(content)).toBe(true);
      else expect(storage.content(path)).toBeUndefined();
      expect(tempIn(storage)).toEqual([]);
      expect(await store.put(oid, size, file)).toBe(fault.at === 'after' ? 'present' : 'stored');
      expect(storage.content(path)?.equals(content)).toBe(true);
    },
  );

  test.each(['stat', 'digest'] as const)('a look (%s) that fails is not taken for absence', async (verb) => {
    const { oid, size, file, path } = objectOf(100);
    storage.plant(path, Buffer.alloc(size, 'd'));
    for (const kind of KINDS) {
      const store = storeWith([{ verb, at: 'before', meet: failed(kind) }]);
      await expectFailure(store.put(oid, size, file), kind);
      expect(storage.content(path)?.equals(Buffer.alloc(size, 'd'))).toBe(true);
    }
  });

  test.each(places)('a get that fails $at its bytes with $kind fails with that', async ({ at, kind }) => {
    const { oid, size, path, content } = objectOf(2_500_000);
    storage.plant(path, content);
    const failure = failed(kind);
    const target = join(local, 'fetched');
    const store = storeWith([{ verb: 'get', at, meet: failure }]);
    expect(await expectFailure(store.get(oid, size, target), kind)).toBe(failure);
    rmSync(target, { force: true });
    await store.get(oid, size, target);
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  test('a put that is cancelled on the way says so, and leaves nothing', async () => {
    const { oid, size, file, path } = objectOf(5_000_000);
    const stop = new AbortController();
    const store = storeWith([{ verb: 'put', at: 'middle', meet: () => stop.abort() }]);
    await expectFailure(store.put(oid, size, file, { signal: stop.signal }), 'cancelled');
    expect(storage.content(path)).toBeUndefined();
    expect(tempIn(storage)).toEqual([]);
  });

  test('a get that is cancelled on the way says so, and leaves nothing', async () => {
    const { oid, size, path, content } = objectOf(5_000_000);
    storage.plant(path, content);
    const stop = new AbortController();
    const store = storeWith([{ verb: 'get', at: 'middle', meet: () => stop.abort() }]);
    await expectFailure(store.get(oid, size, join(local, 'fetched'), { signal: stop.signal }), 'cancelled');
    expect(existsSync(join(local, 'fetched'))).toBe(false);
  });

  test('housekeeping that fails does not fail a put, and a cancel in it does', async () => {
    for (const kind of KINDS) {
      const { oid, size, file } = objectOf(100);
      expect(await storeWith([{ verb: 'sweep', at: 'before', meet: failed(kind) }]).put(oid, size, file)).toBe(
        'stored',
      );
    }
    const { oid, size, file, path } = objectOf(100);
    const store = storeWith([{ verb: 'sweep', at: 'before', meet: failed('cancelled') }]);
    await expectFailure(store.put(oid, size, file), 'cancelled');
    expect(storage.content(path)).toBeUndefined();
  });

  test('the first put sweeps what dead writers left a day ago', async () => {
    const [dead, alive] = ['0', '1'].map((digit) => `${TEMP}/depot-put-${digit.repeat(24)}`);
    storage.plant(dead!, 'x', STALE + 60_000);
    storage.plant(alive!, 'x', STALE / 2);
    const { oid, size, file } = objectOf(100);
    await storeWith([]).put(oid, size, file);
    expect(tempIn(storage)).toEqual([alive]);
  });

  test('a right object that another writer publishes meanwhile is left alone', async () => {
    const { oid, size, file, path, content } = objectOf(2_500_000);
    const store = storeWith([{ verb: 'put', at: 'middle', meet: () => storage.plant(path, content) }]);
    expect(await store.put(oid, size, file)).toBe('present');
    expect(storage.content(path)?.equals(content)).toBe(true);
    expect(tempIn(storage)).toEqual([]);
  });

  test('a wrong file that another program writes meanwhile is healed', async () => {
    const { oid, size, file, path, content } = objectOf(2_500_000);
    const store = storeWith([{ verb: 'put', at: 'middle', meet: () => storage.plant(path, 'wrong') }]);
    expect(await store.put(oid, size, file)).toBe('healed');
    expect(storage.content(path)?.equals(content)).toBe(true);
  });

  test('a program that keeps writing wrong files ends as a conflict', async () => {
    const { oid, size, file, path } = objectOf(100);
    let turn = 0;
    const meet = () => storage.plant(path, `wrong ${turn++}`, 1000 * turn);
    const script = Array.from({ length: 5 }, () => ({ verb: 'put' as const, at: 'before' as const, meet }));
    const error = await expectFailure(storeWith(script).put(oid, size, file), 'conflict');
    expect(error.message).toContain(oid);
    expect(storage.content(path)?.toString()).toMatch(/^wrong/);
  });

  test.each(['size', 'content'] as const)(
    'a wrong size is healed when judged by %s, a right object passed over',
    async (verify) => {
      const { oid, size, file, path, content } = objectOf(1000);
      storage.plant(path, 'truncated');
      expect(await storeWith([], verify).put(oid, size, file)).toBe('healed');
      expect(storage.content(path)?.equals(content)).toBe(true);
      expect(await storeWith([], verify).put(oid, size, file)).toBe('present');
    },
  );

  test('wrong bytes of the right size are seen and healed when judged by content', async () => {
    const { oid, size, file, path, content } = objectOf(1000);
    storage.plant(path, Buffer.alloc(size));
    expect(await storeWith([], 'size').put(oid, size, file)).toBe('present');
    expect(await storeWith([], 'content').put(oid, size, file)).toBe('healed');
    expect(storage.content(path)?.equals(content)).toBe(true);
  });

  test('a damaged local file never heals anything', async () => {
    const { oid, size, path } = objectOf(1000);
    storage.plant(path, 'damaged there');
    const other = sourceIn(local, size);
    await expectFailure(storeWith([]).put(oid, size, other.file), 'corrupt');
    expect(storage.content(path)?.toString()).toBe('damaged there');
  });

  test('an object that is absent, and one of another size, are told with their oid', async () => {
    const { oid, size, path } = objectOf(1000);
    const store = storeWith([]);
    expect((await expectFailure(store.get(oid, size, join(local, 'one')), 'absent')).message).toContain(oid);
    expect(await store.stat(oid)).toBeUndefined();
    storage.plant(path, 'short');
    const error = await expectFailure(store.get(oid, size, join(local, 'two')), 'corrupt');
    expect(error.message).toContain(oid);
    expect(error.why).toContain('5');
    expect(error.why).toContain('1000');
  });

  test('a list names objects only', async () => {
    const { oid, size, path, content } = objectOf(10);
    storage.plant(path, content);
    for (const other of [`xx/${oid}`, oid, `${path}.tmp`, 'README', `${TEMP}/${path}`]) storage.plant(other, 'x');
    const listed: unknown[] = [];
    for await (const entry of storeWith([]).list()) listed.push(entry);
    expect(listed).toEqual([{ oid, size }]);
  });

  test('objects may lie in a folder of their own', async () => {
    const { oid, size, file, path, content } = objectOf(10);
    const store = storeOver(storage.open(), { objects: 'lfs/objects', verify: 'size' });
    expect(await store.put(oid, size, file)).toBe('stored');
    expect(storage.content(`lfs/objects/${path}`)?.equals(content)).toBe(true);
    storage.plant(path, content);
    const listed: unknown[] = [];
    for await (const entry of store.list()) listed.push(entry);
    expect(listed).toEqual([{ oid, size }]);
  });
});

function failed(kind: Kind): DepotError {
  return new DepotError(kind, { what: 'scripted', why: `a fault of kind ${kind}`, cure: 'none', temporary: true });
}

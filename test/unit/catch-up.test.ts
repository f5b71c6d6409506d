// Partly fake: real folders, of which single calls are made to fail as a test says.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configOf } from '../../agent/config.ts';
import { createStore } from '../../agent/create-store.ts';
import { objectPath } from '../../agent/layout.ts';
import { type Oid, parseOid } from '../../agent/oid.ts';
import { catchUp } from '../../agent/places/catch-up.ts';
import { everythingIn } from '../../agent/places/everything.ts';
import { type Place, placeAt } from '../../agent/places/place.ts';
import type { Store } from '../../agent/store.ts';
import { cancelled, DepotError, type Kind } from '../../backends/errors.ts';
import { expectFailure } from '../conformance/failure.ts';
import { soundStore } from '../e2e/objects.ts';

let home: string;
let options: { objectsFolder: string; tempFolder: string; signal: AbortSignal };
let stop: AbortController;
let objects: { oid: Oid; size: number }[];
let primary: Place;
let mirror: Place;
beforeEach(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'depot-catch-up-')));
  stop = new AbortController();
  options = { objectsFolder: join(home, 'objects'), tempFolder: join(home, 'tmp'), signal: stop.signal };
  primary = await place('primary', 'store');
  mirror = await place('mirror', 'mirror');
  objects = Array.from({ length: 30 }, () => plant(folderOf(primary)));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function place(role: Place['role'], name: string): Promise<Place> {
  const location = { kind: 'folder', path: join(home, name) } as const;
  await createStore(location, false, configOf([]));
  return placeAt({ role, kind: 'store', location }, configOf([]));
}

const folderOf = ({ name }: Place): string => name;
const oids = (): string[] => objects.map(({ oid }) => oid).sort();

/** Puts a new object of 1000 bytes there. */
function plant(folder: string): { oid: Oid; size: number } {
  const content = randomBytes(1000);
  const oid = parseOid(createHash('sha256').update(content).digest('hex'))!;
  write(folder, oid, content);
  return { oid, size: content.length };
}

function write(folder: string, oid: Oid, content: Buffer | string): void {
  const file = join(folder, objectPath(oid));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** The same place, whose calls are made by `changes` instead. */
function changed(original: Place, changes: (store: Store) => Partial<Store>): Place {
  const open = async (): Promise<Store> => {
    const store = await original.open();
    return { ...store, ...changes(store) };
  };
  return {
    ...original,
    open,
    get trouble() {
      return original.trouble;
    },
  };
}

function failure(kind: Kind): DepotError {
  return new DepotError(kind, { what: 'cannot', why: 'the test says so', cure: 'none' });
}

test('objects that are in the first place are brought to the second, and no file stays on its way', async () => {
  const { places, nowhere } = await catchUp(objects, [primary, mirror], options);
  expect(places.map(({ brought, bytes }) => [brought, bytes])).toEqual([
    [0, 0],
    [30, 30_000],
  ]);
  expect(nowhere).toEqual([]);
  expect(soundStore(folderOf(mirror))).toEqual(oids());
  expect(readdirSync(options.tempFolder)).toEqual([]);
});

test('what this computer has is not fetched', async () => {
  for (const { oid, size } of objects) write(options.objectsFolder, oid, Buffer.alloc(size));
  objects = [plant(options.objectsFolder)];
  await catchUp(objects, [primary, mirror], options);
  expect(existsSync(options.tempFolder)).toBe(false);
  expect(soundStore(folderOf(mirror))).toEqual(oids());
});

test('a place that cannot tell about one object gets the others', async () => {
  const [closed] = objects;
  const touchy = changed(mirror, (store) => ({
    stat: async (oid, call) => {
      if (oid === closed!.oid) throw failure('denied');
      return store.stat(oid, call);
    },
  }));
  const { places } = await catchUp(objects, [primary, touchy], options);
  expect(places[1]).toMatchObject({ brought: 29, failed: [{ oid: closed!.oid }], trouble: undefined });
});

test.each<Kind>(['denied', 'no-space'])('a place that says "%s" again and again is left out', async (kind) => {
  let asked = 0;
  const full = changed(mirror, () => ({
    put: async () => {
      asked++;
      throw failure(kind);
    },
  }));
  const third = await place('mirror', 'third');
  const { places } = await catchUp(objects, [primary, full, third], options);
  expect(places[1]).toMatchObject({ brought: 0, trouble: { kind } });
  // Those that were under way by then.
  expect(asked).toBeLessThan(30);
  expect(places[2]).toMatchObject({ brought: 30, trouble: undefined });
  expect(soundStore(folderOf(third))).toEqual(oids());
});

test('a place that refuses every second object only is not left out', async () => {
  let turn = 0;
  const moody = changed(mirror, (store) => ({
    put: async (...args) => {
      if (turn++ % 2 === 0) throw failure('no-space');
      return store.put(...args);
    },
  }));
  const { places } = await catchUp(objects, [primary, moody], options);
  expect(places[1]).toMatchObject({ brought: 15, trouble: undefined });
  expect(places[1]!.failed).toHaveLength(15);
});

test('a place that goes away meanwhile is told once', async () => {
  let turn = 0;
  const going = changed(mirror, (store) => ({
    put: async (...args) => {
      if (turn++ >= 5) throw failure('unreachable');
      return store.put(...args);
    },
  }));
  const { places } = await catchUp(objects, [primary, going], options);
  expect(places[1]).toMatchObject({ brought: 5, failed: [], trouble: { kind: 'unreachable' } });
});

describe('once it is stopped', () => {
  test('nothing goes on, and nothing is left on its way', async () => {
    let running = 0;
    const slow = changed(mirror, (store) => ({
      put: async (...args) => {
        running++;
        if (running === 3) stop.abort();
        // Cleaning up takes its time.
        await pause(50);
        running--;
        if (stop.signal.aborted) throw cancelled('cannot store');
        return store.put(...args);
      },
    }));
    await expectFailure(catchUp(objects, [primary, slow], options), 'cancelled');
    expect(running).toBe(0);
    expect(readdirSync(options.tempFolder)).toEqual([]);
    expect(soundStore(folderOf(mirror))).toEqual([]);
  });

  test('nothing is begun', async () => {
    stop.abort();
    await expectFailure(catchUp(objects, [primary, mirror], options), 'cancelled');
    expect(soundStore(folderOf(mirror))).toEqual([]);
  });
});

test('a mistake in this program is not taken for trouble of a place', async () => {
  const broken = changed(mirror, () => ({
    put: async () => {
      throw new TypeError('a mistake');
    },
  }));
  await expect(catchUp(objects, [primary, broken], options)).rejects.toThrow('a mistake');
  expect(readdirSync(options.tempFolder)).toEqual([]);
});

describe('everything in several places', () => {
  const everything = (...places: Place[]) => everythingIn(places, options);

  test('is each object once', async () => {
    const more = plant(folderOf(mirror));
    const [both] = objects;
    await catchUp([both!], [primary, mirror], options);
    const found = await everything(primary, mirror);
    expect([...found.objects.values()].sort((one, other) => (one.oid < other.oid ? -1 : 1))).toEqual(
      [...objects, more].sort((one, other) => (one.oid < other.oid ? -1 : 1)),
    );
    expect(found.unlisted).toEqual([]);
  });

  test('has the size of the copy that is right, wherever that is', async () => {
    const [inFirst, inSecond] = objects as [(typeof objects)[0], (typeof objects)[0]];
    await catchUp([inSecond], [primary, mirror], options);
    write(folderOf(mirror), inFirst.oid, 'a part');
    write(folderOf(primary), inSecond.oid, 'a part');
    const found = await everything(primary, mirror);
    expect([found.objects.get(inFirst.oid)?.size, found.objects.get(inSecond.oid)?.size]).toEqual([1000, 1000]);
    expect(readdirSync(options.tempFolder)).toEqual([]);
  });

  test('has what no copy of is right, too, and bringing it says that it is damaged', async () => {
    objects = objects.slice(0, 1);
    write(folderOf(primary), objects[0]!.oid, 'a part');
    write(folderOf(mirror), objects[0]!.oid, 'another');
    const found = (await everything(primary, mirror)).objects.get(objects[0]!.oid)!;
    const { places } = await catchUp([found], [primary, mirror], options);
    expect(places.flatMap(({ failed }) => failed.map(({ error }) => error.kind))).toEqual(['corrupt']);
  });

  test('is without that of a place that is not there, or goes away', async () => {
    rmSync(folderOf(mirror), { recursive: true });
    const going = changed(await place('mirror', 'third'), (store) => ({
      async *list() {
        yield* store.list();
        throw failure('unreachable');
      },
    }));
    const found = await everything(primary, mirror, going);
    expect([...found.objects.keys()].sort()).toEqual(oids());
    expect(found.unlisted).toEqual([]);
    const { places } = await catchUp(found.objects.values(), [primary, mirror, going], options);
    expect(places.map(({ trouble }) => trouble?.kind)).toEqual([undefined, 'no-store', 'unreachable']);
  });

  test('says of which place not all could be seen', async () => {
    const closed = changed(primary, (store) => ({
      async *list() {
        for await (const object of store.list()) {
          yield object;
          throw failure('denied');
        }
      },
    }));
    const found = await everything(closed, mirror);
    expect(found.objects.size).toBe(1);
    expect(found.unlisted).toMatchObject([{ place: { name: primary.name }, error: { kind: 'denied' } }]);
  });

  test('is not looked at once it is stopped', async () => {
    stop.abort();
    await expectFailure(everything(primary, mirror), 'cancelled');
  });
});

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configOf } from '../../agent/config.ts';
import { objectPath } from '../../agent/layout.ts';
import { parseOid } from '../../agent/oid.ts';
import { deliver } from '../../agent/spool/deliver.ts';
import { type OfflineMode, offlineMode, spooling } from '../../agent/spool/offline.ts';
import { type Spool, spoolFor } from '../../agent/spool/spool.ts';
import { type Objects, storeOver } from '../../agent/store.ts';
import { DepotError, type Kind } from '../../backends/errors.ts';
import { expectFailure } from '../conformance/failure.ts';
import { type Fault, faulty } from '../conformance/faulty.ts';
import { folderStorage } from '../conformance/folder-storage.ts';
import { sourceIn } from '../conformance/source.ts';
import { ANCHOR, type Storage } from '../conformance/storage.ts';
import { soundObjects } from '../e2e/objects.ts';

let gitDir: string;
let local: string;
let storage: Storage;
let spool: Spool;
beforeEach(async () => {
  gitDir = mkdtempSync(join(tmpdir(), 'depot-git-'));
  local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  storage = folderStorage(tmpdir());
  await storage.open().create();
  await storage.open().write(ANCHOR, Buffer.from('{}'));
  spool = spoolFor(gitDir, storage.location!);
});
afterEach(() => {
  storage.dispose();
  rmSync(gitDir, { recursive: true });
  rmSync(local, { recursive: true });
});

function objectOf(length: number) {
  const source = sourceIn(local, length);
  const oid = parseOid(source.sha256)!;
  return { ...source, oid, path: objectPath(oid) };
}

type Source = ReturnType<typeof objectOf>;

/** The store with faults in it; judged by size, as a share is. `calls` are the verbs that reach it. */
function placeWith(script: Fault[] = []) {
  const store = storeOver(faulty(storage.open(), script), { objects: 'objects', verify: 'size' });
  const calls: string[] = [];
  const place: Objects = {
    ...store,
    put: (...args) => {
      calls.push('put');
      return store.put(...args);
    },
    get: (...args) => {
      calls.push('get');
      return store.get(...args);
    },
  };
  return { place, calls };
}

const stored = ({ path }: Source) => storage.content(`objects/${path}`);
const plant = ({ path }: Source, content: Buffer) => storage.plant(`objects/${path}`, content);

async function spooled(...lengths: number[]): Promise<Source[]> {
  const objects = lengths.map(objectOf);
  for (const { oid, size, file } of objects) {
    await spool.put(oid, size, file);
    rmSync(file);
  }
  return objects;
}

async function waiting(): Promise<string[]> {
  const oids: string[] = [];
  for await (const { oid } of spool.list()) oids.push(oid);
  return oids.sort();
}

function failed(kind: Kind): DepotError {
  return new DepotError(kind, { what: 'scripted', why: `a fault of kind ${kind}`, cure: 'none', temporary: true });
}

const always = (kind: Kind, count = 1000): Fault[] =>
  Array.from({ length: count }, () => ({ verb: 'stat', at: 'before', meet: failed(kind) }));

test.each<[string[], OfflineMode]>([
  [[], 'off'],
  [['true'], 'on'],
  [['Yes'], 'on'],
  [['1'], 'on'],
  [['false'], 'off'],
  [['0'], 'off'],
  [['auto'], 'auto'],
  [['AUTO'], 'auto'],
  [['auto', 'false'], 'off'],
])('depot.offline = %j is %s', (values, mode) => {
  expect(offlineMode(configOf(values.map((value) => ({ scope: 'global', key: 'depot.offline', value }))))).toBe(mode);
});

test('another depot.offline is refused, and all three values are told', () => {
  const config = configOf([{ scope: 'local', key: 'depot.offline', value: 'sometimes' }]);
  expect(() => offlineMode(config)).toThrowError(
    expect.objectContaining({ kind: 'configuration', cure: expect.stringContaining('true, false or auto') }),
  );
});

test('on: a put goes to the spool and the place is not asked', async () => {
  const { place, calls } = placeWith();
  const { oid, size, file } = objectOf(100);
  expect(await spooling(place, spool, 'on').put(oid, size, file)).toBe('spooled');
  expect(await waiting()).toEqual([oid]);
  expect(calls).toEqual([]);
});

test.each<Kind>(['unreachable', 'no-store'])('auto: once it is %s the place is not asked again', async (kind) => {
  const { place, calls } = placeWith(always(kind));
  const objects = spooling(place, spool, 'auto');
  const sources = [100, 200, 300].map(objectOf);
  for (const { oid, size, file } of sources) expect(await objects.put(oid, size, file)).toBe('spooled');
  expect(calls).toEqual(['put']);
  expect(await waiting()).toEqual(sources.map(({ oid }) => oid).sort());
});

test.skipIf(process.platform === 'win32')('auto: what one process found out, the others of the push know', async () => {
  const [first, second, third] = [placeWith(always('unreachable')), placeWith(), placeWith()];
  const sources = [100, 200, 300].map(objectOf);
  const put = (objects: Objects, index: number) => {
    const { oid, size, file } = sources[index]!;
    return objects.put(oid, size, file);
  };
  expect(await put(spooling(first.place, spool, 'auto'), 0)).toBe('spooled');
  const other = spooling(second.place, spoolFor(gitDir, spool.location), 'auto');
  expect(await put(other, 1)).toBe('spooled');
  expect(second.calls).toEqual([]);
  // Another push has another parent.
  writeFileSync(join(spool.folder, 'away'), '1');
  expect(await put(spooling(third.place, spool, 'auto'), 2)).toBe('stored');
  expect(await waiting()).toEqual([]);
});

test('auto: a put that fails on the way is spooled whole', async () => {
  const { place } = placeWith([{ verb: 'put', at: 'middle', meet: failed('unreachable') }]);
  const source = objectOf(3_000_000);
  expect(await spooling(place, spool, 'auto').put(source.oid, source.size, source.file)).toBe('spooled');
  expect(readFileSync(spool.fileOf(source.oid)).equals(source.content)).toBe(true);
  expect(stored(source)).toBeUndefined();
});

const OTHERS: Kind[] = ['denied', 'no-space', 'credentials', 'conflict', 'corrupt', 'configuration', 'untrusted'];
test.each<[OfflineMode, Kind]>([
  ...OTHERS.map((kind): [OfflineMode, Kind] => ['auto', kind]),
  ['auto', 'cancelled'],
  ['off', 'unreachable'],
  ['off', 'no-store'],
])('%s: what fails with %s is not spooled', async (mode, kind) => {
  const { place } = placeWith(always(kind));
  const { oid, size, file } = objectOf(100);
  await expectFailure(spooling(place, spool, mode).put(oid, size, file), kind);
  expect(await spool.isEmpty()).toBe(true);
});

test.each<OfflineMode>(['off', 'auto'])('%s: the first put that succeeds delivers all that waits', async (mode) => {
  const sources = await spooled(100, 200, 3_000_000);
  const { place, calls } = placeWith();
  const objects = spooling(place, spool, mode);
  const one = objectOf(50);
  expect(await objects.put(one.oid, one.size, one.file)).toBe('stored');
  expect(await waiting()).toEqual([]);
  for (const source of [one, ...sources]) expect(stored(source)?.equals(source.content)).toBe(true);
  expect(calls).toHaveLength(4);
  expect(existsSync(join(spool.folder, 'claim'))).toBe(false);
});

test('it is done once in a process, and by nobody while another process does it', async () => {
  const { place, calls } = placeWith();
  await spooled(100);
  const claim = join(spool.folder, 'claim');
  writeFileSync(claim, String(process.ppid));
  const objects = spooling(place, spool, 'off');
  const [one, two] = [objectOf(50), objectOf(60)];
  await objects.put(one.oid, one.size, one.file);
  rmSync(claim);
  await objects.put(two.oid, two.size, two.file);
  expect(calls).toHaveLength(2);
  expect(await waiting()).toHaveLength(1);
});

test('what a killed process has claimed is claimed anew, and what none has refreshed for long', async () => {
  const { place } = placeWith();
  const claim = join(spool.folder, 'claim');
  const one = objectOf(50);
  const { pid } = spawnSync(process.execPath, ['--version']);
  const aMinuteAgo = Date.now() / 1000 - 60;
  for (const [text, age] of [
    [String(pid), 0],
    [String(process.ppid), 60],
    ['', 0],
  ] as const) {
    await spooled(100);
    writeFileSync(claim, text);
    if (age > 0) utimesSync(claim, aMinuteAgo, aMinuteAgo);
    await spooling(place, spool, 'off').put(one.oid, one.size, one.file);
    expect(await waiting()).toHaveLength(text === '' ? 1 : 0);
    rmSync(claim, { force: true });
  }
});

test('a delivery that fails does not fail the put', async () => {
  await spooled(100, 200);
  const { place } = placeWith([{ verb: 'stat', at: 'after', meet: () => {} }, ...(always('denied') as Fault[])]);
  const one = objectOf(50);
  expect(await spooling(place, spool, 'off').put(one.oid, one.size, one.file)).toBe('stored');
  expect(await waiting()).toHaveLength(2);
});

test('an object that is pushed again is taken out of the spool, once the place has it verified', async () => {
  const [source] = await spooled(1000);
  writeFileSync(source!.file, source!.content);
  // The spool's own copy is damaged: it could not be delivered.
  truncateSync(spool.fileOf(source!.oid), 10);
  plant(source!, Buffer.alloc(1000));
  const { place } = placeWith();
  expect(await spooling(place, spool, 'off').put(source!.oid, source!.size, source!.file)).toBe('healed');
  expect(await waiting()).toEqual([]);
  expect(stored(source!)?.equals(source!.content)).toBe(true);
});

test('a get is answered by the spool, over what an earlier download has left', async () => {
  const [source] = await spooled(3_000_000);
  const target = join(local, 'fetched');
  writeFileSync(target, 'a part');
  writeFileSync(`${target}.version`, 'its version');
  const { place, calls } = placeWith();
  await spooling(place, spool, 'auto').get(source!.oid, source!.size, target, { resume: true });
  expect(readFileSync(target).equals(source!.content)).toBe(true);
  expect(existsSync(`${target}.version`)).toBe(false);
  expect(calls).toEqual([]);
});

test('a get of what does not wait here, or is damaged here, is answered by the place', async () => {
  const [damaged] = await spooled(1000);
  writeFileSync(spool.fileOf(damaged!.oid), Buffer.alloc(1000));
  const other = objectOf(500);
  plant(damaged!, damaged!.content);
  plant(other, other.content);
  const { place, calls } = placeWith();
  const objects = spooling(place, spool, 'on');
  for (const { oid, size, content } of [damaged!, other]) {
    await objects.get(oid, size, join(local, oid));
    expect(readFileSync(join(local, oid)).equals(content)).toBe(true);
  }
  expect(calls).toEqual(['get', 'get']);
  expect(await spool.has(damaged!.oid)).toBe(true);
  const absent = objectOf(10);
  await expectFailure(objects.get(absent.oid, absent.size, join(local, 'none')), 'absent');
});

test('a delivery brings everything, heals what is damaged there, and says what it did', async () => {
  const [fresh, there, damaged] = await spooled(100, 2000, 3000);
  plant(there!, there!.content);
  plant(damaged!, Buffer.alloc(3000));
  const done: string[] = [];
  const { place } = placeWith();
  const result = await deliver(spool, place, { onDelivered: (oid) => done.push(oid) });
  expect(result).toEqual({ delivered: 2, bytes: 3100, present: 1, failed: [], untried: 0 });
  expect(done.sort()).toEqual([fresh, there, damaged].map((source) => source!.oid).sort());
  for (const source of [fresh, there, damaged]) expect(stored(source!)?.equals(source!.content)).toBe(true);
  expect(await waiting()).toEqual([]);
  expect(await deliver(spool, place)).toEqual({ delivered: 0, bytes: 0, present: 0, failed: [], untried: 0 });
});

test('one object that fails does not keep back the others, and stays', async () => {
  const sources = await spooled(...Array.from({ length: 12 }, (_, index) => 100 + index));
  const { place } = placeWith([{ verb: 'put', at: 'before', meet: failed('conflict') }]);
  const { delivered, failed: failures, untried } = await deliver(spool, place);
  expect({ delivered, untried, kinds: failures.map(({ error }) => error.kind) }).toEqual({
    delivered: 11,
    untried: 0,
    kinds: ['conflict'],
  });
  expect(await waiting()).toEqual(failures.map(({ oid }) => oid));
  expect(soundObjects(join(storage.location!, 'objects'))).toHaveLength(sources.length - 1);
});

test.each<[Kind, number]>([
  ['unreachable', 4],
  ['no-store', 4],
  ['credentials', 4],
  ['untrusted', 4],
  ['denied', 8],
  ['no-space', 8],
])('a place that is %s is not asked for every object', async (kind, most) => {
  await spooled(...Array.from({ length: 30 }, (_, index) => 100 + index));
  const { place, calls } = placeWith(always(kind));
  const { delivered, failed: failures, untried } = await deliver(spool, place);
  expect(delivered).toBe(0);
  expect(failures.length + untried).toBe(30);
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.at(-1)?.error.kind).toBe(kind);
  expect(calls.length).toBeLessThanOrEqual(most);
  expect(await waiting()).toHaveLength(30);
});

test('a damaged copy in the spool is not handed out, though whoever asks would hash it: the place has a good one', async () => {
  const [source] = await spooled(1000);
  writeFileSync(spool.fileOf(source!.oid), Buffer.alloc(1000));
  plant(source!, source!.content);
  const target = join(local, 'fetched');
  await spooling(placeWith().place, spool, 'auto').get(source!.oid, source!.size, target, { unhashed: true });
  expect(readFileSync(target).equals(source!.content)).toBe(true);
});

test('a damaged copy in the spool is told of and kept, and never replaces anything', async () => {
  const [changed, short, fine] = await spooled(1000, 2000, 300);
  writeFileSync(spool.fileOf(changed!.oid), Buffer.alloc(1000));
  truncateSync(spool.fileOf(short!.oid), 5);
  plant(changed!, Buffer.alloc(999));
  plant(short!, short!.content);
  const { delivered, failed: failures } = await deliver(spool, placeWith().place);
  expect(delivered).toBe(1);
  expect(failures.map(({ oid }) => oid).sort()).toEqual([changed!.oid, short!.oid].sort());
  for (const { oid, error } of failures) {
    expect(error.kind).toBe('corrupt');
    expect(error.what).toBe(`cannot deliver ${oid} to ${spool.location}`);
    expect(error.cure).toContain(`git lfs push --object-id origin ${oid}`);
    expect(error.cure).toContain(spool.fileOf(oid));
  }
  expect(stored(changed!)?.length).toBe(999);
  expect(stored(short!)?.equals(short!.content)).toBe(true);
  expect(stored(fine!)?.equals(fine!.content)).toBe(true);
  expect(await waiting()).toHaveLength(2);
});

test('two deliveries at once bring everything, and nothing fails', async () => {
  const sources = await spooled(...Array.from({ length: 60 }, (_, index) => 100 + index));
  const results = await Promise.all([1, 2].map(() => deliver(spoolFor(gitDir, spool.location), placeWith().place)));
  expect(results.map(({ failed: failures, untried }) => ({ failures, untried }))).toEqual([
    { failures: [], untried: 0 },
    { failures: [], untried: 0 },
  ]);
  const brought = results.reduce((sum, { delivered }) => sum + delivered, 0);
  expect(brought).toBeLessThanOrEqual(60);
  expect(await waiting()).toEqual([]);
  expect(soundObjects(join(storage.location!, 'objects')).sort()).toEqual(sources.map(({ oid }) => oid).sort());
});

test('what another process delivers in this very moment is no failure', async () => {
  const [source, other] = await spooled(100, 200);
  const meet = async (): Promise<void> => {
    for (const { oid } of [source!, other!]) await spool.drop(oid);
  };
  const { place } = placeWith([{ verb: 'put', at: 'before', meet }]);
  expect(await deliver(spool, place, { parallel: 1 })).toMatchObject({
    delivered: 0,
    present: 0,
    failed: [],
    untried: 0,
  });
});

test('a delivery that is cancelled says so, and what it did not bring still waits', async () => {
  const sources = await spooled(...Array.from({ length: 20 }, () => 3_000_000));
  const stop = new AbortController();
  let done = 0;
  const onDelivered = (): void => {
    if (++done === 3) stop.abort();
  };
  await expectFailure(deliver(spool, placeWith().place, { signal: stop.signal, onDelivered }), 'cancelled');
  await turn();
  const there = soundObjects(join(storage.location!, 'objects'));
  const left = await waiting();
  expect(left.length).toBeGreaterThan(0);
  expect(new Set([...there, ...left])).toEqual(new Set(sources.map(({ oid }) => oid)));
  const { failed: failures } = await deliver(spool, placeWith().place);
  expect(failures).toEqual([]);
  expect(await waiting()).toEqual([]);
});

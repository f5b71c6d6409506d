import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MARKER, readMarker, writeMarker } from '../../agent/marker.ts';
import { type Oid, parseOid } from '../../agent/oid.ts';
import { type Store, storeOver } from '../../agent/store.ts';
import type { Backend } from '../../backends/backend.ts';
// Loaded late by the backend; here before, since the first round would not wait for it.
import '../../backends/webdav/propfind.ts';
import { openWebdav } from '../../backends/webdav/webdav.ts';
import { webFor } from '../conformance/web.ts';
import { startApache } from '../servers/apache.ts';
import { isInstalled } from '../servers/installed.ts';
import { type Lockstep, startLockstep } from '../servers/lockstep.ts';
import { type DavServer, PASSWORD, USER } from '../servers/server.ts';
import { objectFile, oidOf } from './objects.ts';

/**
 * What one agent process sends, round by round: each is a wait for the server, which is what an object costs far away.
 * Whoever changes one of these lists makes every push of somebody slower or faster, and should know it.
 */
const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`requests${MISSING ? ': apache is not installed' : ''}`, () => {
  let server: DavServer;
  let far: Lockstep;
  let folder: string;
  /** On the server's disk. */
  let root: string;
  const table: { what: string; requests: number; 'one after another': number; which: string }[] = [];

  beforeAll(async () => {
    server = await startApache();
    far = await startLockstep(server.url);
    folder = mkdtempSync(join(tmpdir(), 'depot-round-trips-'));
    root = join(server.root, 'art');
    const near = open(server.url);
    await near.create();
    await writeMarker(near);
  });
  afterAll(async () => {
    console.table(table);
    await far?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(url: string): Backend {
    const location = `${url}/art`;
    return openWebdav(location, { location, anchor: MARKER, temp: 'tmp', web: webFor(USER, PASSWORD) });
  }

  /** A process that has opened the store a moment ago. */
  async function agent(url = far.url): Promise<Store> {
    const backend = open(url);
    backend.assume((await readMarker(backend)).findings);
    far.take();
    return storeOver(backend, { objects: '', verify: 'size' });
  }

  /** Somebody else's process has pushed it. */
  async function planted(sample: Sample): Promise<Sample> {
    await put(await agent(server.url), sample);
    return sample;
  }

  interface Sample {
    oid: Oid;
    size: number;
    file: string;
  }

  /** A file whose object has a name that begins so. */
  function sample(start: string, size = 100): Sample {
    const content = randomBytes(size);
    for (let number = 0; ; number++) {
      content.writeUInt32LE(number);
      const name = oidOf(content);
      const oid = name.startsWith(start) ? parseOid(name) : undefined;
      if (!oid) continue;
      const file = join(folder, oid);
      writeFileSync(file, content);
      return { oid, size, file };
    }
  }

  const put = (store: Store, { oid, size, file }: Sample) => store.put(oid, size, file);

  /** Does the work, and checks what it sent: one text a round, `∥` between what went out together. */
  async function expectRounds(
    what: string,
    sample: Sample | undefined,
    work: () => Promise<unknown>,
    wanted: string[],
  ) {
    await work();
    const { oid = '' } = sample ?? {};
    const aa = oid.slice(0, 2);
    const names: Record<string, string> = {
      [`/lfs/art/${aa}/${oid.slice(2, 4)}/${oid}`]: 'object',
      [`/lfs/art/${aa}/${oid.slice(2, 4)}/`]: 'aa/bb',
      [`/lfs/art/${aa}/`]: 'aa',
      [`/lfs/art/${MARKER}`]: 'marker',
      '/lfs/art/tmp/': 'tmp',
    };
    const rounds = far.take();
    const told = rounds.map((round) =>
      round
        .map(({ method, path, status }) => `${method} ${names[path] ?? path.replace(/.*depot-.*/, 'temp')} ${status}`)
        .sort()
        .join(' ∥ '),
    );
    table.push({
      what,
      requests: rounds.flat().length,
      'one after another': rounds.length,
      which: rounds
        .map((round) =>
          round
            .map(({ method }) => method)
            .sort()
            .join('∥'),
        )
        .join(' '),
    });
    expect(told).toEqual(wanted);
  }

  test('opening a store: the marker, and once more with the password', async () => {
    const backend = open(far.url);
    await expectRounds('open a store', undefined, () => readMarker(backend), ['GET marker 401', 'GET marker 200']);
  });

  test('new objects in a fresh store, of which the first looks for leftovers on the way', async () => {
    const store = await agent();
    const first = sample('00');
    await expectRounds('first new object, no folder there', first, () => put(store, first), [
      'HEAD object 404',
      'HEAD marker 200 ∥ PROPFIND tmp 207 ∥ PUT temp 201',
      'HEAD temp 200 ∥ MKCOL aa/bb 409',
      'MKCOL aa 201',
      'MKCOL aa/bb 201',
      'MOVE temp 201',
    ]);
    const second = sample('0100');
    await expectRounds('next new object, no folder there', second, () => put(store, second), [
      'HEAD object 404',
      'HEAD marker 200 ∥ PUT temp 201',
      'HEAD temp 200 ∥ MKCOL aa/bb 409',
      'MKCOL aa 201',
      'MKCOL aa/bb 201',
      'MOVE temp 201',
    ]);
    // Two were not there: from now on small ones are sent without a look.
    const third = sample('0101');
    await expectRounds('small one after two new ones, aa there', third, () => put(store, third), [
      'HEAD marker 200 ∥ PUT temp 201',
      'HEAD temp 200 ∥ MKCOL aa/bb 201',
      'MOVE temp 201',
    ]);
    const fourth = sample(third.oid.slice(0, 4));
    await expectRounds('small one after two new ones, aa/bb there', fourth, () => put(store, fourth), [
      'PUT temp 201',
      'HEAD marker 200 ∥ HEAD temp 200',
      'MOVE temp 201',
    ]);
    const there = await planted(sample('02'));
    await expectRounds('the same, but it is there', there, () => put(store, there), [
      'HEAD marker 200 ∥ PUT temp 201',
      'HEAD temp 200 ∥ MKCOL aa/bb 405',
      'MOVE temp 412',
      'DELETE temp 204',
      'HEAD object 200',
    ]);
    // The last folder was there, so this one is made only when it turns out to be missing.
    const large = sample('02', 70_000);
    await expectRounds('larger one, aa there', large, () => put(store, large), [
      'HEAD object 404',
      'PUT temp 201',
      'HEAD marker 200 ∥ HEAD temp 200',
      'MOVE temp 500',
      'HEAD marker 200',
      'MKCOL aa/bb 201',
      'MOVE temp 201',
    ]);
  });

  test('a new object in a store whose folders are there', async () => {
    const [one, other] = [await planted(sample('10')), await planted(sample('11'))];
    const store = await agent();
    const first = sample(one.oid.slice(0, 4));
    await expectRounds('first new object, aa/bb made by others', first, () => put(store, first), [
      'HEAD object 404',
      'HEAD marker 200 ∥ PROPFIND tmp 207 ∥ PUT temp 201',
      'HEAD temp 200 ∥ MKCOL aa/bb 405',
      'MOVE temp 201',
    ]);
    const second = sample(other.oid.slice(0, 4));
    await expectRounds('next new object, aa/bb made by others', second, () => put(store, second), [
      'HEAD object 404',
      'PUT temp 201',
      'HEAD marker 200 ∥ HEAD temp 200',
      'MOVE temp 201',
    ]);
  });

  test('an object that is there', async () => {
    const there = await planted(sample('20'));
    const store = await agent();
    await expectRounds('object that is there', there, () => put(store, there), ['HEAD object 200']);
  });

  test('an object that is there, and damaged', async () => {
    const there = await planted(sample('21'));
    truncateSync(objectFile(root, there.oid), 50);
    const store = await agent();
    await expectRounds('object that is damaged', there, () => put(store, there), [
      'HEAD object 200',
      'HEAD marker 200 ∥ PROPFIND tmp 207 ∥ PUT temp 201',
      'HEAD temp 200 ∥ MKCOL aa/bb 405',
      'HEAD object 200',
      'MOVE temp 204',
      'HEAD object 200',
    ]);
  });

  test('a download', async () => {
    const there = await planted(sample('30'));
    const store = await agent();
    const get = () => store.get(there.oid, there.size, join(folder, 'fetched'));
    await expectRounds('download', there, get, ['GET object 200']);
  });

  test('a download of what is not there', async () => {
    const store = await agent();
    const absent = sample('31');
    const get = () =>
      expect(store.get(absent.oid, absent.size, join(folder, 'absent'))).rejects.toThrow('does not have');
    await expectRounds('download of what is absent', absent, get, ['GET object 404', 'HEAD marker 200']);
  });
});

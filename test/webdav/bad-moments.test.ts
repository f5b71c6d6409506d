import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MARKER, readMarker, updateMarker, writeMarker } from '../../agent/marker.ts';
import { openWebdav } from '../../backends/webdav/webdav.ts';
import { expectFailure } from '../conformance/failure.ts';
import { sourceIn } from '../conformance/source.ts';
import { webFor } from '../conformance/web.ts';
import { webdavStorage } from '../conformance/webdav-storage.ts';
import { startApache } from '../servers/apache.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { busy } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import { startNextcloud } from '../servers/nextcloud.ts';
import { type DavServer, PASSWORD, USER } from '../servers/server.ts';
import { onFaultyStore } from './faulty-store.ts';

// What a server or a proxy does wrong once must not be kept for everybody, or for ever.

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`a bad moment${MISSING ? ': apache is not installed' : ''}`, () => {
  let server: DavServer;
  beforeAll(async () => {
    server = await startApache();
  });
  afterAll(() => server?.stop());

  test.each([502, 503, 500])('of a proxy that answers %i to the first MOVE marks no store', async (status) => {
    let moves = 1;
    const proxy = await startFaultProxy(server.url, ({ method }) =>
      method === 'MOVE' && moves++ === 0 ? busy(status) : undefined,
    );
    const storage = webdavStorage({ ...server, url: proxy.url }, webFor(USER, PASSWORD));
    try {
      const backend = storage.open();
      await backend.create();
      await writeMarker(backend);
      moves = 0;
      expect(await openWebdavAt(storage.location).examine()).toEqual({});
      expect(moves).toBeGreaterThan(1);
    } finally {
      await proxy.stop();
      storage.dispose();
    }
  });

  test('in which the marker cannot be written anew leaves the old one', () =>
    onFaultyStore(server, async ({ open, storage, script }) => {
      const backend = await open({ retries: { count: 0, pause: 1 } });
      const marker = await writeMarker(backend);
      const before = storage.content(MARKER);
      backend.assume({ move: 'untrusted' });
      script.fault('PUT', busy(507), 1);
      await expectFailure(updateMarker(backend, marker, { move: 'untrusted' }), 'no-space');
      expect(storage.content(MARKER)?.equals(before!)).toBe(true);
      await updateMarker(backend, marker, { move: 'untrusted' });
      expect((await readMarker(backend)).findings).toEqual({ move: 'untrusted' });
    }));
});

function openWebdavAt(location = '') {
  return openWebdav(location, { location, anchor: MARKER, temp: 'tmp', web: webFor(USER, PASSWORD) });
}

test('a server that has had too many requests has let nobody in', async () => {
  const told: string[] = [];
  const statuses = [401, 429, 401, 401, 401];
  let asked = 0;
  const server = createServer((_, response) => {
    const status = statuses[asked++] ?? 401;
    response.writeHead(status, status === 401 ? { 'www-authenticate': 'Basic realm="r"' } : {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const location = `http://127.0.0.1:${(server.address() as AddressInfo).port}/lfs`;
  const web = webFor(USER, 'wrong');
  const credentials = {
    find: web.credentials.find,
    accepted: async () => void told.push('accepted'),
    refused: async () => void told.push('refused'),
  };
  try {
    const backend = openWebdav(location, { location, anchor: MARKER, temp: 'tmp', web: { ...web, credentials } });
    await expectFailure(backend.read(MARKER), 'credentials');
    expect(told).toEqual(['refused']);
    expect(asked).toBe(3);
  } finally {
    server.close();
  }
});

const NO_SABRE = !isInstalled('sabre');

test.skipIf(NO_SABRE)(
  `of a damaged file no part goes up, which a later run would take for one of the right file${NO_SABRE ? ': sabre is not installed' : ''}`,
  async () => {
    const server = await startNextcloud();
    const storage = webdavStorage(server, webFor(USER, PASSWORD));
    const local = mkdtempSync(join(tmpdir(), 'depot-local-'));
    try {
      const backend = storage.open();
      await backend.create();
      await backend.write('anchor.json', Buffer.from('{}'));
      const source = sourceIn(local, 70 * 1024 * 1024);
      const promised = { size: source.size, sha256: '1'.repeat(64) };
      await expectFailure(backend.put('aa/bb/file', source.file, promised), 'corrupt');
      expect(server.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/uploads/'))).toEqual([]);
      expect(await server.uploads()).toEqual([]);
    } finally {
      rmSync(local, { recursive: true, force: true });
      storage.dispose();
      await server.stop();
    }
  },
);

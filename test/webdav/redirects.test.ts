import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWebdav } from '../../backends/webdav/webdav.ts';
import { expectFailure } from '../conformance/failure.ts';
import { sourceIn } from '../conformance/source.ts';
import { ANCHOR, TEMP } from '../conformance/storage.ts';
import { webFor } from '../conformance/web.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.ts';
import { redirect } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import { PASSWORD, USER } from '../servers/server.ts';
import { freshPath } from './deeds.ts';
import { type FaultyStore, onFaultyStore } from './faulty-store.ts';
import { startRedirectingServer } from './redirecting-server.ts';

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`a redirect${MISSING ? ': apache is not installed' : ''}`, () => {
  let server: ApacheServer;
  /** Another origin with the same files, which wants no password. */
  let mirror: ApacheServer;
  let other: FaultProxy;
  beforeAll(async () => {
    [server, mirror] = await Promise.all([startApache(), startApache({ anonymous: true })]);
    other = await startFaultProxy(mirror.url);
  });
  afterAll(async () => {
    await other?.stop();
    await server?.stop();
    await mirror?.stop();
  });

  const pathIn = ({ storage }: FaultyStore, path: string): string => `${new URL(storage.location!).pathname}/${path}`;

  test.each([301, 302, 303, 307, 308])('by %i to another path of the same server is followed', (status) =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      store.storage.plant('there', 'hello', 10_000);
      store.script.fault(({ path }) => path.endsWith('/here'), redirect(pathIn(store, 'there'), status));
      expect((await backend.read('here'))?.toString()).toBe('hello');
      expect((await backend.stat('here'))?.size).toBe(5);
    }),
  );

  test('to a mirror elsewhere is followed to read, without the password and without the user’s own headers', () =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open({ headers: [['X-Secret', 'hunter2']] });
      const content = Buffer.alloc(3_000_000, 'mirrored');
      await toMirror('mirrored', content);
      const before = other.requests.length;
      store.script.fault(({ path }) => path.endsWith('/mirrored'), redirect(`${other.url}/mirrored`));
      const file = join(store.local, 'fetched');
      expect(await backend.get('mirrored', file)).toBe(content.length);
      expect(readFileSync(file).equals(content)).toBe(true);
      const asked = store.proxy.requests.at(-1);
      expect([asked?.headers.authorization, asked?.headers['x-secret']]).toEqual([expect.any(String), 'hunter2']);
      expect(other.requests.length).toBe(before + 1);
      const { headers } = other.requests.at(-1)!;
      expect([headers.authorization, headers['x-secret']]).toEqual([undefined, undefined]);
    }));

  test('to a mirror that breaks off is followed again, for the rest', () =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      const content = Buffer.alloc(3_000_000, 'mirrored');
      await toMirror('breaks', content);
      const cutting = await startFaultProxy(mirror.url, ({ headers }) =>
        headers.range ? undefined : { kind: 'cut', of: 'response', after: 1_000_000, how: 'rst' },
      );
      try {
        store.script.fault(({ path }) => path.endsWith('/breaks'), redirect(`${cutting.url}/breaks`));
        const file = join(store.local, 'fetched');
        expect(await backend.get('breaks', file)).toBe(content.length);
        expect(readFileSync(file).equals(content)).toBe(true);
        expect(cutting.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=1000000-']);
      } finally {
        await cutting.stop();
      }
    }));

  test.each(['PUT', 'MOVE', 'MKCOL'])('of a %s to another server is refused, and that is told', (method) =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      const before = other.requests.length;
      for (const status of [301, 302, 307, 308]) {
        store.script.fault(method, redirect(`${other.url}/elsewhere`, status));
        const path = freshPath();
        const source = sourceIn(store.local, 1000);
        const { why, cure } = await expectFailure(backend.put(path, source.file, source), 'configuration');
        expect(why).toContain(`the server points to another place (${status})`);
        expect(why).toContain(new URL(other.url).host);
        expect(cure).toContain('init');
        expect(store.storage.content(path)).toBe(undefined);
      }
      expect(other.requests.length).toBe(before);
    }),
  );

  test.each([307, 308])('by %i of a PUT within the server is followed, with its body', (status) =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      const source = sourceIn(store.local, 3_000_000);
      const path = freshPath();
      store.script.fault(
        ({ method, path: url }) => method === 'PUT' && !url.endsWith('?again'),
        ({ path: url }) => redirect(`${url}?again`, status),
      );
      expect(await backend.put(path, source.file, source)).toBe('created');
      expect(store.script.met()).toBe(1);
      expect(store.storage.content(path)?.equals(source.content)).toBe(true);
    }),
  );

  test.each(['DELETE', 'MOVE', 'PUT', 'MKCOL'])(
    'of a %s to a folder above is refused, and all is as it was',
    (method) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        const source = sourceIn(store.local, 1000);
        store.storage.plant('aa/bb/file', 'hello');
        for (const status of [301, 302, 303, 307, 308]) {
          for (const target of ['', 'aa', 'aa/bb/']) {
            const there = pathIn(store, target);
            store.script.fault(
              (request) => request.method === method && request.path !== there,
              redirect(there, status),
            );
            const deed =
              method === 'DELETE' ? backend.remove('aa/bb/file') : backend.put(freshPath(), source.file, source);
            await expectFailure(deed, 'configuration');
            expect(store.script.met()).toBeGreaterThanOrEqual(1);
          }
        }
        store.script.calm();
        expect(store.storage.content('aa/bb/file')?.toString()).toBe('hello');
        expect(store.storage.content(ANCHOR)).toBeDefined();
        expect((await backend.stat('aa/bb/file'))?.size).toBe(5);
      }),
  );

  test('that goes round in a circle comes to an end', () =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      store.script.fault('GET', redirect(pathIn(store, 'round')));
      await expectFailure(backend.read('round'), 'configuration');
      expect(store.script.met()).toBeLessThan(20);
    }));

  test('from https: to http: is never followed, and no password goes there', async () => {
    const tls = await startRedirectingServer(new URL(other.url).origin, server.certificates);
    try {
      const before = other.requests.length;
      const location = `${tls.origin}/lfs`;
      const ca = [readFileSync(server.certificates.ca, 'utf8')];
      const backend = openWebdav(location, { location, anchor: ANCHOR, temp: TEMP, web: webFor(USER, PASSWORD, ca) });
      const { why } = await expectFailure(backend.read(ANCHOR), 'configuration');
      expect(why).toContain('http://');
      await expectFailure(backend.stat('file'), 'configuration');
      await expectFailure(backend.write('file', Buffer.from('x')), 'configuration');
      expect(tls.requests.length).toBeGreaterThanOrEqual(3);
      expect(other.requests.length).toBe(before);
    } finally {
      await tls.stop();
    }
  });

  async function toMirror(name: string, content: Buffer): Promise<void> {
    const { status } = await fetch(`${mirror.url}/${name}`, { method: 'PUT', body: new Uint8Array(content) });
    expect(status).toBe(201);
  }
});

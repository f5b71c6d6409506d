import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseOid } from '../../agent/oid.ts';
import { storeOver } from '../../agent/store.ts';
import { expectFailure } from '../conformance/failure.ts';
import { sourceIn } from '../conformance/source.ts';
import { tempIn } from '../conformance/storage.ts';
import { startApache } from '../servers/apache.ts';
import type { SeenRequest } from '../servers/fault-proxy.ts';
import { busy, errorPage, loginPage } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import type { DavServer } from '../servers/server.ts';
import { DEEDS, freshPath, get, list, makeFolder, move, putLarge, putSmall, remove, stat } from './deeds.ts';
import { onFaultyStore } from './faulty-store.ts';
import { passingFaults } from './passing-faults.ts';

/** Generous: what takes longer is hanging. */
const FOREVER = 60_000;
const ONCE = { retries: { count: 1, pause: 10 } };
const NEVER = { retries: { count: 0, pause: 10 } };
const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`faults${MISSING ? ': apache is not installed' : ''}`, { timeout: FOREVER }, () => {
  let server: DavServer;
  beforeAll(async () => {
    server = await startApache();
  });
  afterAll(() => server?.stop());

  describe.each(DEEDS)('at the $method of a $name', (deed) => {
    test.concurrent.each(passingFaults(deed))('$name: once, and it succeeds all the same', ({ fault }) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault(deed.method, fault, 1);
        await deed.run(store, backend);
        expect(store.script.met()).toBe(1);
      }),
    );

    // What a server says before it closes amid a body may be lost with the connection, each time, on a busy machine.
    test.concurrent.each(passingFaults(deed))(
      '$name: always, and it ends with $ends',
      { retry: 2 },
      ({ fault, ends }) =>
        onFaultyStore(server, async (store) => {
          const backend = await store.open(ONCE);
          store.script.fault(deed.method, fault);
          if (ends === 'success') return deed.run(store, backend);
          await expectFailure(deed.run(store, backend), ends);
          await deed.run(store, await store.open());
        }),
    );
  });

  test.each([get, list, stat, remove, putLarge])(
    'the $method of a $name is repeated as often as told, and no oftener',
    (deed) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open({ retries: { count: 2, pause: 10 } });
        store.script.fault(deed.method, { kind: 'answer', answer: { status: 503 } });
        await expectFailure(deed.run(store, backend), 'unreachable');
        expect(store.script.met()).toBe(3);
      }),
  );

  test('the server says how long to wait, and is heeded', () =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      const moments: number[] = [];
      const isTheFirst = ({ method }: SeenRequest): boolean => method === 'HEAD' && moments.push(performance.now()) > 0;
      store.script.fault(isTheFirst, busy(503, '1'), 1);
      await stat.run(store, backend);
      expect(moments).toHaveLength(1);
      expect(performance.now() - moments[0]!).toBeGreaterThanOrEqual(1000);
    }));

  describe('connections that are closed just as they are used again', () => {
    // The request has come, and nothing came back: the client cannot tell that it was too late.
    test.each([putSmall, putLarge, makeFolder, stat, get, list, remove])(
      'cost the $method of a $name no repetition',
      (deed) =>
        onFaultyStore(server, async (store) => {
          const backend = await store.open(NEVER);
          await deed.run(store, backend); // Opens as many connections as it takes.
          const again = ({ method, nth }: { method: string; nth: number }) => method === deed.method && nth > 1;
          store.script.fault(again, { kind: 'cut', of: 'request', after: 0, how: 'rst' }, 1);
          await deed.run(store, backend);
          expect(store.script.met()).toBe(1);
        }),
    );

    test('are many, and no call fails', () =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open(NEVER);
        store.script.fault(() => true, { kind: 'close-idle', after: 0 });
        for (let round = 0; round < 50; round++) await stat.run(store, backend);
        expect(store.script.met()).toBeGreaterThanOrEqual(50);
      }));
  });

  describe('a Content-Length that lies', () => {
    test.each([5, -1])('by %i makes a download a damaged one, of which nothing is left', (by) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault('GET', { kind: 'length', by });
        await expectFailure(get.run(store, backend), 'corrupt');
      }),
    );

    test.each([5, -100])('by %i once does no harm to a list', (by) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault('PROPFIND', { kind: 'length', by }, 1);
        await list.run(store, backend);
        expect(store.script.met()).toBe(1);
      }),
    );

    test.each([putSmall, move, makeFolder, remove])('does no harm to the $method of a $name', (deed) =>
      onFaultyStore(server, async (store) => {
        for (const by of [5, -1]) {
          const backend = await store.open();
          store.script.fault(deed.method, { kind: 'length', by });
          await deed.run(store, backend);
        }
      }),
    );

    test.each([5, -1])('by %i about what has arrived keeps that from its final name', (by) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault(({ method, path }) => method === 'HEAD' && path.includes('/depot-put-'), {
          kind: 'length',
          by,
        });
        const path = freshPath();
        const source = sourceIn(store.local, 1000);
        const { why } = await expectFailure(backend.put(path, source.file, source), 'no-space');
        expect(why).toContain(`stored 1000 bytes, and has ${1000 + by}`);
        expect(store.storage.content(path)).toBe(undefined);
      }),
    );

    test('about an object that is right leaves it right', () =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        const source = sourceIn(store.local, 1000);
        const oid = parseOid(source.sha256)!;
        const path = `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
        const objects = storeOver(backend, { objects: '', verify: 'size' });
        await objects.put(oid, source.size, source.file);
        store.script.fault('HEAD', { kind: 'length', by: -1 }, 1);
        expect(await objects.put(oid, source.size, source.file)).toBe('present');
        expect(store.script.met()).toBe(1);
        expect(store.storage.content(path)?.equals(source.content)).toBe(true);
      }));
  });

  describe('a login page', () => {
    test.each([get, list])('in place of a $name is told from it', (deed) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault(() => true, loginPage());
        const { why, cure } = await expectFailure(deed.run(store, backend), 'credentials');
        expect(why).toContain('the server answered with a web page');
        expect(cure).toContain('portal');
      }),
    );

    test('in place of a file that is asked for is told from it', () =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault(() => true, loginPage());
        await expectFailure(stat.run(store, backend), 'credentials');
        store.script.fault('HEAD', loginPage());
        await stat.run(store, backend);
      }));

    test.each([putSmall, move])('for the $method of a put is not taken for its success', (deed) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault(deed.method, loginPage());
        await expectFailure(deed.run(store, backend), deed === move ? 'credentials' : 'no-space');
        await deed.run(store, await store.open());
      }),
    );
  });

  test('a MOVE that the server gets to while its client looks what became of it has happened', () =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      const path = freshPath();
      const source = sourceIn(store.local, 1000);
      const onDisk = (url: string): string => join(server.root, url.slice('/lfs/'.length));
      const final = onDisk(`${new URL(store.storage.location!).pathname}/${path}`);
      let temp: string | undefined;
      let looks = 0;
      const isTheMove = (request: SeenRequest): boolean => {
        if (temp && request.method === 'HEAD' && ++looks === 2) renameSync(temp, final);
        if (temp || request.method !== 'MOVE') return false;
        temp = onDisk(request.path);
        return true;
      };
      store.script.fault(isTheMove, errorPage(504, 'Gateway Time-out'));
      await backend.put(path, source.file, source);
      expect(looks).toBeGreaterThanOrEqual(2);
      expect(store.storage.content(path)?.equals(source.content)).toBe(true);
      expect(tempIn(store.storage)).toEqual([]);
    }));

  describe('slow and alive', () => {
    const timeouts = { connect: 5000, idle: 1000, answer: FOREVER };

    test('a download is waited for', () =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open({ ...NEVER, timeouts });
        store.script.fault('GET', { kind: 'drip', of: 'response', bytes: 50_000, every: 60 });
        await get.run(store, backend);
        expect(store.script.met()).toBe(1);
      }));

    test('an upload is waited for', () =>
      onFaultyStore(server, async (store) => {
        const path = freshPath();
        // Megabytes of it lie in the connection at once, and are told as gone when they lie there.
        const source = sourceIn(store.local, 40_000_000);
        const backend = await store.open({ ...NEVER, timeouts });
        store.script.fault('PUT', { kind: 'drip', of: 'request', bytes: 50_000, every: 5 });
        await backend.put(path, source.file, source);
        expect(store.script.met()).toBe(1);
        expect(store.storage.content(path)?.equals(source.content)).toBe(true);
      }));
  });

  test('a byte that is damaged on the way is noticed, and nothing is left', () =>
    onFaultyStore(server, async (store) => {
      const backend = await store.open();
      store.script.fault('GET', { kind: 'damage', of: 'response', at: 1_234_567 });
      await expectFailure(get.run(store, backend), 'corrupt');
      const path = freshPath();
      const source = sourceIn(store.local, 3_000_000);
      store.storage.plant(path, source.content);
      expect(await backend.digest(path)).not.toBe(source.sha256);
    }));
});

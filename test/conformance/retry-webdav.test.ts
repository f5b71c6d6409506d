import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { retrying } from '../../backends/layers/retry.ts';
import type { Retries } from '../../backends/retries.ts';
import { startApache } from '../servers/apache.ts';
import { busy, type Fault } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import type { DavServer } from '../servers/server.ts';
import { freshPath } from '../webdav/deeds.ts';
import { type FaultyStore, onFaultyStore } from '../webdav/faulty-store.ts';
import { expectFailure } from './failure.ts';
import { sourceIn } from './source.ts';
import { ANCHOR } from './storage.ts';

// Requests are repeated below the layer, by the client. What both do together.

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`a WebDAV server, tried again${MISSING ? ': apache is not installed' : ''}`, () => {
  let server: DavServer;
  beforeAll(async () => {
    server = await startApache();
  });
  afterAll(() => server?.stop());

  /** As the program opens it: the client and the layer repeat alike. */
  async function open(store: FaultyStore, given: Partial<Retries> = {}) {
    const lines: string[] = [];
    const retries: Retries = { count: 2, pause: 1, onRetry: (line) => lines.push(line), ...given };
    const backend = retrying(await store.open({ retries }), retries);
    await backend.read(ANCHOR);
    return { backend, lines };
  }

  type Call = (store: FaultyStore, backend: Backend) => Promise<unknown>;

  const put: Call = ({ local }, backend) => {
    const source = sourceIn(local, 2000);
    return backend.put(freshPath(), source.file, source);
  };
  const get: Call = ({ storage, local }, backend) => {
    const path = freshPath();
    storage.plant(path, 'hello', 10_000);
    return backend.get(path, join(local, randomBytes(8).toString('hex')));
  };
  const list: Call = async ({ storage }, backend) => {
    storage.plant(freshPath(), 'hello');
    for await (const _ of backend.list(''));
  };

  const CALLS: [name: string, method: string, call: Call][] = [
    ['put', 'PUT', put],
    ['put', 'MOVE', put],
    ['look of a put', 'HEAD', put],
    ['get', 'GET', get],
    ['list', 'PROPFIND', list],
    ['write', 'PUT', (_, backend) => backend.write(freshPath(), Buffer.from('x'))],
    ['remove', 'DELETE', (_, backend) => backend.remove(freshPath())],
  ];

  test.each(CALLS)('a %s whose %s is always answered with 503 makes three of them, not nine', (_, method, call) =>
    onFaultyStore(server, async (store) => {
      const { backend, lines } = await open(store);
      const seen = new Map<string, number>();
      const count = (request: { method: string; path: string }): boolean => {
        if (request.method !== method) return false;
        seen.set(request.path, (seen.get(request.path) ?? 0) + 1);
        return true;
      };
      store.script.fault(count, busy());
      const error = await expectFailure(call(store, backend), 'unreachable');
      expect(error.why).toMatch(/^the server said 503/);
      expect(Math.max(...seen.values())).toBe(3);
      // A put looks at two files at the same time: once one was in vain, the other is not waited for any more.
      const form = /^attempt [12] of 3 failed, and is repeated: cannot .*: the server said 503/;
      for (const line of lines) expect(line).toMatch(form);
      expect(lines).toHaveLength([...seen.values()].reduce((sum, times) => sum + times - 1, 0));
    }),
  );

  describe('the time without a sign of life', () => {
    /** Milliseconds by the clock that the client looks at: a minute more with each request that is refused. */
    let now = 1000;
    beforeEach(() => {
      now = 1000;
      vi.spyOn(performance, 'now').mockImplementation(() => now);
    });
    afterEach(() => vi.restoreAllMocks());

    const slow = (fault: Fault) => () => {
      now += 60_000;
      return fault;
    };

    // The file is looked at after each MOVE, and that it can be is a sign of life.
    test.each(CALLS.filter(([, method]) => method !== 'MOVE'))(
      'ends a %s whose %s is always answered with 503: that is none',
      (_, method, call) =>
        onFaultyStore(server, async (store) => {
          const { backend } = await open(store, { count: 8, timeout: 120_000 });
          const seen = new Map<string, number>();
          const count = (request: { method: string; path: string }): boolean => {
            if (request.method !== method) return false;
            seen.set(request.path, (seen.get(request.path) ?? 0) + 1);
            return true;
          };
          store.script.fault(count, slow(busy()));
          await expectFailure(call(store, backend), 'unreachable');
          // The first failure starts the clock, and the third comes when time is up; unless what is asked at the same time
          // was answered meanwhile. All there are would be nine.
          expect(Math.max(...seen.values())).toBeGreaterThanOrEqual(3);
          expect(Math.max(...seen.values())).toBeLessThan(6);
        }),
    );

    test('begins anew with each byte of a transfer that breaks off', () =>
      onFaultyStore(server, async (store) => {
        const { backend } = await open(store, { count: 5, timeout: 120_000 });
        store.script.fault('PUT', slow({ kind: 'cut', of: 'request', after: 1000, how: 'rst' }));
        await expectFailure(put(store, backend), 'unreachable');
        // A connection that had been idle may have cost one more.
        expect(store.script.met()).toBeGreaterThanOrEqual(6);
      }));
  });

  test('a body that always breaks off at its first byte is asked for three times, not nine', () =>
    onFaultyStore(server, async (store) => {
      const { backend } = await open(store);
      store.script.fault('GET', { kind: 'cut', of: 'response', after: 0, how: 'rst' });
      await expectFailure(get(store, backend), 'unreachable');
      expect(store.script.met()).toBe(3);
    }));

  test('after waiting in vain each request is made once, until one succeeds', () =>
    onFaultyStore(server, async (store) => {
      const { backend } = await open(store);
      const look = () => backend.stat(freshPath());
      store.script.fault('HEAD', busy());
      await expectFailure(look(), 'unreachable');
      expect(store.script.met()).toBe(3);
      for (let object = 0; object < 5; object++) await expectFailure(look(), 'unreachable');
      expect(store.script.met()).toBe(3 + 5);
      store.script.calm();
      await look();
      store.script.fault('HEAD', busy());
      await expectFailure(look(), 'unreachable');
      expect(store.script.met()).toBe(3);
    }));

  test('what cannot be put costs its pauses once, though each can be looked for', () =>
    onFaultyStore(server, async (store) => {
      const { backend } = await open(store);
      store.script.fault('PUT', busy());
      for (let object = 0; object < 5; object++) {
        expect(await backend.stat(freshPath(), { beforePut: true })).toBeUndefined();
        await expectFailure(put(store, backend), 'unreachable');
      }
      expect(store.script.met()).toBe(3 + 4);
    }));

  test('no time at all is an error in words, as any other', () =>
    onFaultyStore(server, async (store) => {
      const { backend, lines } = await open(store, { timeout: 0 });
      store.script.fault('HEAD', busy());
      const { why } = await expectFailure(backend.stat(freshPath()), 'unreachable');
      expect(why).toMatch(/^the server said 503/);
      expect(store.script.met()).toBe(1);
      expect(lines).toEqual([]);
    }));

  test('a cancel while the server wants to be left alone for an hour ends the call', () =>
    onFaultyStore(server, async (store) => {
      const controller = new AbortController();
      const { backend } = await open(store, { onRetry: () => setTimeout(() => controller.abort(), 20) });
      store.script.fault('HEAD', busy(503, '3600'));
      await expectFailure(backend.stat(freshPath(), { signal: controller.signal }), 'cancelled');
      expect(store.script.met()).toBe(1);
    }));

  test('a server that has gone is given up, and found again when it is back', () =>
    onFaultyStore(server, async (store) => {
      const { backend } = await open(store);
      store.script.fault(() => true, { kind: 'cut', of: 'request', after: 0, how: 'rst' });
      for (let object = 0; object < 3; object++) await expectFailure(put(store, backend), 'unreachable');
      store.script.calm();
      expect(await put(store, backend)).toBe('created');
    }));
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseOid } from '../../agent/oid.ts';
import { storeOver } from '../../agent/store.ts';
import { expectFailure } from '../conformance/failure.ts';
import { sourceIn } from '../conformance/source.ts';
import { startApache } from '../servers/apache.ts';
import type { Fault } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import { startNginx } from '../servers/nginx.ts';
import { startRclone } from '../servers/rclone.ts';
import type { DavServer } from '../servers/server.ts';
import { type FaultyStore, onFaultyStore } from './faulty-store.ts';

const SIZE = 3_000_000;

/** rclone keeps what came of a PUT that was cut; the others keep nothing. */
const SERVERS = [
  { name: 'apache', start: startApache },
  { name: 'nginx', start: startNginx },
  { name: 'rclone', start: startRclone },
] as const;

// A busy server may write down a part after whoever cleans up has looked: the next push judges that, and replaces it.
describe.each(SERVERS)('without MOVE, on $name', { retry: 2 }, ({ name, start }) => {
  const missing = !isInstalled(name);
  const reason = missing ? ': it is not installed' : '';
  let server: DavServer;
  beforeAll(async () => {
    if (!missing) server = await start();
  });
  afterAll(() => server?.stop());

  /** A store that knows that MOVE is not to be relied on, an object for it, and what stands under its name. */
  async function pushing({ open, storage, local }: FaultyStore) {
    const backend = await open({ retries: { count: 2, pause: 10 } });
    backend.assume({ move: 'untrusted' });
    const objects = storeOver(backend, { objects: '', verify: 'size' });
    const source = sourceIn(local, SIZE);
    const oid = parseOid(source.sha256)!;
    const path = `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
    return {
      push: () => objects.put(oid, SIZE, source.file),
      there: () => {
        const content = storage.content(path);
        return content && (content.equals(source.content) ? 'right' : 'wrong');
      },
    };
  }

  const FAULTS: [string, string, Fault][] = [
    ['PUT', 'cut at its start', { kind: 'cut', of: 'request', after: 0, how: 'rst' }],
    ['PUT', 'cut in its middle', { kind: 'cut', of: 'request', after: SIZE / 2, how: 'rst' }],
    ['PUT', 'cut at its end', { kind: 'cut', of: 'request', after: SIZE - 1, how: 'fin' }],
    ['PUT', 'without an answer', { kind: 'cut', of: 'response', how: 'fin' }],
    ['GET', 'that reads back cut in its middle', { kind: 'cut', of: 'response', after: SIZE / 2, how: 'rst' }],
    ['GET', 'that reads back without an answer', { kind: 'cut', of: 'response', how: 'rst' }],
  ];

  test.skipIf(missing).each(FAULTS)(`a %s %s, once, ends with the object${reason}`, (method, _, fault) =>
    onFaultyStore(server, async (store) => {
      const { push, there } = await pushing(store);
      store.script.fault(method, fault, 1);
      await push();
      expect(store.script.met()).toBe(1);
      expect(there()).toBe('right');
    }),
  );

  test.skipIf(missing).each(FAULTS)(`a %s %s, always, leaves nothing that is wrong${reason}`, (method, _, fault) =>
    onFaultyStore(server, async (store) => {
      const { push, there } = await pushing(store);
      store.script.fault(method, fault);
      await push().catch(() => {});
      expect(there()).not.toBe('wrong');
      store.script.calm();
      await push();
      expect(there()).toBe('right');
    }),
  );

  test.skipIf(missing)(`a byte that is damaged on the way up is noticed, and what came is removed${reason}`, () =>
    onFaultyStore(server, async (store) => {
      const { push, there } = await pushing(store);
      store.script.fault('PUT', { kind: 'damage', of: 'request', at: 1_000_000 });
      await expectFailure(push(), 'corrupt');
      expect(there()).toBe(undefined);
      store.script.calm();
      expect(await push()).toBe('stored');
    }),
  );
});

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashOf } from '../conformance/source.ts';
import { objectFile, oidOf, soundObjects } from '../e2e/objects.ts';
import { CAN_LOOK, sessionMembers, until } from '../e2e/processes.ts';
import { webTeam } from '../e2e/web-team.ts';
import { type Result, Sandbox } from '../sandbox.ts';
import { startApache } from '../servers/apache.ts';
import { type FaultProxy, type SeenRequest, startFaultProxy } from '../servers/fault-proxy.ts';
import { busy, type Fault } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import type { DavServer } from '../servers/server.ts';
import { onFaultyStore } from './faulty-store.ts';
import { writeScript } from './script.ts';

const SIZE = 5_000_000;
const FIRST = 2_000_000;
const MISSING = !isInstalled('apache');
const reason = MISSING ? ': apache is not installed' : '';

describe.skipIf(MISSING)(`a download that is cut${reason}`, () => {
  let server: DavServer;
  beforeAll(async () => {
    server = await startApache();
  });
  afterAll(() => server?.stop());

  const [good, bad] = ['good', 'bad!'].map((word) => Buffer.alloc(SIZE, word)) as [Buffer, Buffer];
  const cut: Fault = { kind: 'cut', of: 'response', after: FIRST, how: 'fin' };
  /** What each asked for, and was answered with. */
  const asked = (requests: readonly SeenRequest[]) =>
    requests.filter(({ method }) => method === 'GET').map(({ headers, status }) => [headers.range, status]);

  describe('in one call', () => {
    interface Meeting {
      /** What becomes of the request that goes on. */
      second?: Fault;
      /** What stands there by then, in the place of the good file. */
      instead?: Buffer;
      expected?: Buffer;
    }

    /** Gets a file whose first answer is cut; gives what was asked. */
    async function getInTwo({ second, instead, expected = good }: Meeting) {
      let seen: ReturnType<typeof asked> = [];
      await onFaultyStore(server, async ({ open, storage, script, proxy, local }) => {
        const backend = await open();
        storage.plant('file', good, 100_000);
        const before = proxy.requests.length;
        script.fault(
          'GET',
          ({ headers }) => {
            if (!headers.range) return cut;
            expect(headers['if-range']).toMatch(/^"/);
            if (instead) storage.plant('file', instead, 50_000);
            return second ?? { kind: 'headers' };
          },
          2,
        );
        const file = join(local, 'fetched');
        const expectation = { size: SIZE, sha256: hashOf(expected) };
        expect(await backend.get('file', file, { expect: expectation })).toBe(SIZE);
        expect(readFileSync(file).equals(expected)).toBe(true);
        seen = asked(proxy.requests.slice(before));
      });
      return seen;
    }
    const rest = `bytes=${FIRST}-`;

    test('goes on with the byte after the last', async () => {
      expect(await getInTwo({})).toEqual([
        [undefined, 200],
        [rest, 206],
      ]);
    });

    test('goes on as often as it is cut, when each time some of it came', async () => {
      const last = `bytes=${FIRST * 2}-`;
      expect(await getInTwo({ second: cut })).toEqual([
        [undefined, 200],
        [rest, 206],
        [last, 206],
      ]);
    });

    test('starts anew when another file stands there by then', async () => {
      expect(await getInTwo({ instead: bad, expected: bad })).toEqual([
        [undefined, 200],
        [rest, 200],
      ]);
    });

    test('starts anew when another file stands there, and the server sends a part of that all the same', async () => {
      const second: Fault = { kind: 'headers', request: { 'if-range': null } };
      const seen = await getInTwo({ second, instead: bad, expected: bad });
      expect(seen).toEqual([
        [undefined, 200],
        [rest, 206],
        [undefined, 200],
      ]);
    });

    test('starts anew on a server that knows no parts', async () => {
      const second: Fault = { kind: 'headers', request: { range: null } };
      expect(await getInTwo({ second })).toEqual([
        [undefined, 200],
        [rest, 200],
      ]);
    });
  });

  describe('and given up', () => {
    const script = writeScript();
    let proxy: FaultProxy;
    let box: Sandbox;
    let store: string;
    let oid: string;
    beforeEach(async () => {
      script.calm();
      proxy = await startFaultProxy(server.url, script.plan);
      box = new Sandbox();
      const name = `art-${randomBytes(6).toString('hex')}`;
      store = join(server.root, name);
      await webTeam(box, `${proxy.url}/${name}`);
      await box.git('.', 'config', '--global', 'depot.retries', '0');
      oid = oidOf(readFileSync(box.write('alice/large.bin', SIZE)));
      await box.push('alice');
      age(100);
      await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    });
    afterEach(async () => {
      await proxy?.stop();
      box?.remove();
    });

    /** What is older than the ticks of its server's clock has a version to go on with. */
    function age(seconds: number): void {
      const then = Date.now() / 1000 - seconds;
      utimesSync(objectFile(store, oid), then, then);
    }

    const fetch = (): Promise<Result> => box.run('git', ['lfs', 'fetch', 'origin', 'main'], { cwd: 'bob' });
    const isObject = ({ path, method }: SeenRequest): boolean => method === 'GET' && path.endsWith(oid);
    const tmp = (): string => box.path('bob/.git/lfs/tmp');
    const left = (): string[] => (existsSync(tmp()) ? readdirSync(tmp()).sort() : []);
    const partial = (): string => join(tmp(), `depot-partial-${oid}`);

    /** A fetch that gets the first bytes, and no more. */
    async function fetchFirst(): Promise<void> {
      script.fault(isObject, ({ headers }) => (headers.range ? busy() : cut));
      const { status, stderr } = await fetch();
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/\[3\] .*503/);
      script.calm();
      expect(soundObjects(box.path('bob/.git/lfs/objects'))).toEqual([]);
      expect(statSync(partial()).size).toBe(FIRST);
    }

    /** The next fetch gets it all; gives what it asked. */
    async function fetchRest() {
      const before = proxy.requests.length;
      expect(await fetch()).toMatchObject({ status: 0 });
      expect(soundObjects(box.path('bob/.git/lfs/objects'))).toEqual([oid]);
      expect(left()).toEqual([]);
      return asked(proxy.requests.slice(before).filter(isObject));
    }

    test('goes on in the next run', async () => {
      await fetchFirst();
      expect(await fetchRest()).toEqual([[`bytes=${FIRST}-`, 206]]);
    });

    test('goes on in the run after several that got some of it', async () => {
      await fetchFirst();
      script.fault(isObject, ({ headers }) => (headers.range === `bytes=${FIRST}-` ? cut : busy()));
      expect((await fetch()).status).not.toBe(0);
      script.calm();
      expect(await fetchRest()).toEqual([[`bytes=${2 * FIRST}-`, 206]]);
    });

    test.skipIf(!CAN_LOOK)('goes on after Ctrl-C', async () => {
      script.fault(isObject, { kind: 'stall', of: 'response', after: FIRST });
      const child = box.start('git', ['lfs', 'fetch', 'origin', 'main'], {
        cwd: 'bob',
        detached: true,
        stdio: 'ignore',
      });
      const isDownload = (name: string): boolean => name.startsWith(`depot-${oid.slice(0, 16)}-`);
      await until('bytes are on their way', () =>
        left().some((name) => isDownload(name) && statSync(join(tmp(), name)).size > 0),
      );
      process.kill(-child.pid!, 'SIGINT');
      await until('all is gone', () => sessionMembers(child.pid!).length === 0);
      script.calm();
      const [[range, status] = []] = await fetchRest();
      expect(status).toBe(206);
      expect(Number(/^bytes=(\d+)-$/.exec(String(range))?.[1])).toBeGreaterThan(0);
    });

    test('starts anew when the object was replaced in between', async () => {
      const damaged = readFileSync(objectFile(store, oid));
      const right = Buffer.from(damaged);
      damaged.fill(0, 0, 1000);
      writeFileSync(objectFile(store, oid), damaged);
      age(50);
      await fetchFirst();
      writeFileSync(objectFile(store, oid), right);
      age(20);
      expect(await fetchRest()).toEqual([[`bytes=${FIRST}-`, 200]]);
    });

    test('starts anew when what is there was damaged on this computer', async () => {
      await fetchFirst();
      const fd = openSync(partial(), 'r+');
      writeSync(fd, Buffer.alloc(1000), 0, 1000, 5000);
      closeSync(fd);
      expect(await fetchRest()).toEqual([
        [`bytes=${FIRST}-`, 206],
        [undefined, 200],
      ]);
    });

    test('starts anew when nobody knows any more of which version it is', async () => {
      await fetchFirst();
      writeFileSync(`${partial()}.version`, '');
      const [[, status] = []] = await fetchRest();
      expect(status).toBe(200);
    });
  });
});

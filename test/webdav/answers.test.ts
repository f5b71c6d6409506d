import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import type { DepotError, Kind } from '../../backends/errors.ts';
import type { Credential, WebOptions } from '../../backends/webdav/options.ts';
import { openWebdav } from '../../backends/webdav/webdav.ts';
import { expectFailure } from '../conformance/failure.ts';
import { sourceIn } from '../conformance/source.ts';
import { ANCHOR, TEMP } from '../conformance/storage.ts';
import { webFor } from '../conformance/web.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { errorPage, type Fault, unauthorized } from '../servers/faults.ts';
import { freePorts } from '../servers/free-ports.ts';
import { isInstalled } from '../servers/installed.ts';
import { startNginx } from '../servers/nginx.ts';
import { PASSWORD, USER } from '../servers/server.ts';
import { freshPath } from './deeds.ts';
import { type FaultyStore, onFaultyStore } from './faulty-store.ts';

/** Each message says what it is, and what to do. */
interface Told {
  kind: Kind;
  why: string | RegExp;
  cure: string | RegExp;
}

async function expectTold(call: Promise<unknown>, { kind, why, cure }: Told): Promise<DepotError> {
  const error = await expectFailure(call, kind);
  expect(error.why).toMatch(why);
  expect(error.cure).toMatch(cure);
  return error;
}

const MISSING = !(isInstalled('apache') && isInstalled('nginx'));
const reason = MISSING ? ': apache or nginx is not installed' : '';

describe.skipIf(MISSING)(`what a server answers${reason}`, () => {
  let server: ApacheServer;
  beforeAll(async () => {
    server = await startApache();
  });
  afterAll(() => server?.stop());

  const put = (backend: Backend, { local }: FaultyStore, size = 1000): Promise<unknown> => {
    const source = sourceIn(local, size);
    return backend.put(freshPath(), source.file, source);
  };
  const get = (backend: Backend, { local }: FaultyStore): Promise<unknown> =>
    backend.get(freshPath(), join(local, `fetched-${Math.random()}`), {
      expect: { size: 1000, sha256: 'a'.repeat(64) },
    });

  const NOT_DAV =
    'this address may not be a WebDAV folder: for Nextcloud it looks like https://HOST/remote.php/dav/files/';
  const FULL: Fault = {
    kind: 'answer',
    answer: {
      status: 507,
      headers: { 'content-type': 'application/xml; charset=utf-8' },
      body: '<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>quota of 5 GB is used up</s:message></d:error>',
    },
  };
  const BUSY = 'try again later; if it stays so, whoever runs the server finds the reason in its log';
  const said = (status: number, reason: string): [number, Fault, string] => [status, errorPage(status, reason), reason];

  describe('to a PUT', () => {
    test.each<[number, Fault, string, Kind, string]>([
      [...said(400, 'Bad Request'), 'unreachable', 'lfs-depot doctor'],
      [...said(403, 'Forbidden'), 'denied', 'ask whoever runs the server for the right to write'],
      [...said(405, 'Not Allowed'), 'unsupported', NOT_DAV],
      [...said(411, 'Length Required'), 'unsupported', 'a proxy in between has dropped the Content-Length header'],
      [...said(413, 'Request Entity Too Large'), 'no-space', 'client_max_body_size in nginx'],
      [...said(415, 'Unsupported Media Type'), 'unsupported', NOT_DAV],
      [...said(423, 'Locked'), 'conflict', 'holds a lock on it: try again later'],
      [...said(429, 'Too Many Requests'), 'unreachable', 'wait a few minutes'],
      [...said(500, 'Internal Server Error'), 'unreachable', BUSY],
      [...said(501, 'Not Implemented'), 'unsupported', NOT_DAV],
      [...said(503, 'Service Unavailable'), 'unreachable', BUSY],
      [...said(599, 'Whatever'), 'unreachable', BUSY],
      [507, FULL, 'quota of 5 GB is used up', 'no-space', 'the disk or your quota there is full'],
    ])('%i is told in its own words, with what to do', (status, fault, words, kind, cure) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open({ retries: { count: 1, pause: 10 } });
        store.script.fault('PUT', fault);
        const { what } = await expectTold(put(backend, store), {
          kind,
          why: new RegExp(`^the server said ${status}\\b.*: .*${words}`),
          cure,
        });
        expect(what).toMatch(`cannot store ${store.storage.location}/`);
      }),
    );

    test.each([
      ['nginx', startNginx],
      ['Apache', startApache],
    ] as const)('413 of %s is told with the settings that it comes from', async (_, start) => {
      const limited = await start({ bodyLimit: 1_000_000 });
      try {
        await onFaultyStore(limited, async (store) => {
          const backend = await store.open();
          for (const size of [1_000_001, 30_000_000]) {
            const error = await expectTold(put(backend, store, size), {
              kind: 'no-space',
              why: 'the server said 413 (body too large)',
              cure: 'client_max_body_size in nginx (0 for no limit), LimitRequestBody in Apache (0)',
            });
            expect(error.temporary).toBe(false);
          }
          await put(backend, store, 1_000_000);
        });
      } finally {
        await limited.stop();
      }
    });

    test('404 and 409, while the folder is there, are told for what they are', () =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        store.script.fault('PUT', errorPage(404, 'Not Found'));
        await expectTold(put(backend, store), { kind: 'no-store', why: '404', cure: 'check the address' });
        store.script.fault('PUT', errorPage(409, 'Conflict'));
        await expectTold(put(backend, store), { kind: 'conflict', why: '409', cure: 'a folder is missing there' });
      }));
  });

  describe('to a GET', () => {
    test.each<[number, Kind, string]>([
      [400, 'unreachable', 'lfs-depot doctor'],
      [403, 'denied', 'ask whoever runs the server'],
      [405, 'unsupported', NOT_DAV],
      [451, 'unreachable', 'ask whoever runs the server'],
      [502, 'unreachable', BUSY],
    ])('%i is told, with what to do', (status, kind, cure) =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open({ retries: { count: 0, pause: 10 } });
        store.script.fault(() => true, errorPage(status, 'Trouble'));
        await expectTold(get(backend, store), { kind, why: new RegExp(`^the server said ${status}.*Trouble`), cure });
      }),
    );

    test('404 is told from a store that is not there', () =>
      onFaultyStore(server, async (store) => {
        const backend = await store.open();
        expect(await get(backend, store)).toBe(undefined);
        store.storage.unmount('gone');
        const cure = 'check the address, and on the server that the disk with the store is mounted';
        await expectTold(get(backend, store), { kind: 'no-store', why: `there is no ${ANCHOR} in it`, cure });
      }));
  });

  describe('401', () => {
    /** Opens a store as somebody whom git knows by these; counts what is asked of, and told to, git. */
    function opened({ storage }: FaultyStore, credential: Credential | undefined, web: Partial<WebOptions> = {}) {
      const told = { asked: 0, accepted: 0, refused: 0 };
      const { location = '' } = storage;
      const credentials: WebOptions['credentials'] = {
        find: async () => {
          told.asked++;
          return credential;
        },
        accepted: async () => void told.accepted++,
        refused: async () => void told.refused++,
      };
      const options = { ...webFor(USER, PASSWORD), credentials, ...web };
      return { told, backend: openWebdav(location, { location, anchor: ANCHOR, temp: TEMP, web: options }) };
    }
    const sentTo = ({ proxy }: FaultyStore, since: number): (string | undefined)[] =>
      proxy.requests.slice(since).map(({ headers }) => headers.authorization?.split(' ')[0]);
    const wrong: Credential = { kind: 'password', username: USER, password: 'wrong' };

    test('for want of a password says how to give one, and asks git once', () =>
      onFaultyStore(server, async (store) => {
        const since = store.proxy.requests.length;
        const { backend, told } = opened(store, undefined);
        const cure = `log in: lfs-depot login ${store.storage.location}`;
        const unknown: Told = { kind: 'credentials', why: /"LFS".* asks who you are, and git keeps no password/, cure };
        await expectTold(backend.read(ANCHOR), unknown);
        await expectTold(put(backend, store), { ...unknown, why: 'git keeps no password' });
        await expectTold(get(backend, store), { ...unknown, why: 'git keeps no password' });
        expect(told).toEqual({ asked: 1, accepted: 0, refused: 0 });
        expect(sentTo(store, since)).toEqual([undefined]);
      }));

    test('for a wrong password is heard once in a process, and git is told', () =>
      onFaultyStore(server, async (store) => {
        const since = store.proxy.requests.length;
        const { backend, told } = opened(store, wrong);
        const refused: Told = {
          kind: 'credentials',
          why: 'the server does not accept the user name and password',
          cure: /^log in: lfs-depot login .*\n.*servers lock people out.*app password$/,
        };
        await expectTold(backend.read(ANCHOR), refused);
        // As the agent goes on: with the next object, and the next.
        for (const call of [put, get, put, get]) await expectTold(call(backend, store), refused);
        expect(sentTo(store, since)).toEqual([undefined, 'Basic']);
        expect(told).toEqual({ asked: 1, accepted: 0, refused: 1 });
      }));

    test('for a way to log in that is not known says which are', () =>
      onFaultyStore(server, async (store) => {
        const { backend } = opened(store, { kind: 'password', username: USER, password: PASSWORD });
        store.script.fault(() => true, unauthorized(0, ['Negotiate', 'NTLM']));
        const why = 'asks for a way to log in that lfs-depot does not have (it has Basic, Digest and Bearer)';
        const error = await expectFailure(backend.read(ANCHOR), 'credentials');
        expect(error.why).toContain(why);
        expect(error.cure).toContain('app password');
      }));

    test('for a header of the user’s own names its setting', () =>
      onFaultyStore(server, async (store) => {
        const since = store.proxy.requests.length;
        const { backend, told } = opened(store, wrong, { headers: [['Authorization', 'Bearer stale']] });
        await expectTold(backend.read(ANCHOR), {
          kind: 'credentials',
          why: 'http.extraHeader',
          cure: 'git config --show-origin',
        });
        expect(sentTo(store, since)).toEqual(['Bearer']);
        expect(told).toEqual({ asked: 0, accepted: 0, refused: 0 });
      }));
  });

  describe('in place of an answer', () => {
    const TIMEOUTS = { connect: 2000, idle: 1000, answer: 2000 };
    /** A location on a server that is no store, reached without a second try. */
    const at = (location: string, ca?: string[]): Backend => {
      const web: WebOptions = { ...webFor(USER, PASSWORD, ca), timeouts: TIMEOUTS, retries: { count: 0, pause: 10 } };
      return openWebdav(location, { location, anchor: ANCHOR, temp: TEMP, web });
    };
    const ca = (): string[] => [readFileSync(server.certificates.ca, 'utf8')];

    test('a certificate that nobody knows is told, with the setting for it', async () => {
      const { host } = new URL(server.tlsUrl);
      const error = await expectTold(at(server.tlsUrl).read(ANCHOR), {
        kind: 'unreachable',
        why: /verify|self-signed|issuer/,
        cure: 'signed by an authority that this computer does not know',
      });
      expect(error.cure).toContain(`git config --global http.https://${host}/.sslCAInfo /path/to/ca.pem`);
      expect(error.temporary).toBe(false);
      expect(await at(server.tlsUrl, ca()).stat('nothing', { beforePut: true })).toBe(undefined);
    });

    test('a certificate of another name is told, with the name', async () => {
      // The same machine, by an address that the certificate does not have.
      const url = server.tlsUrl.replace('127.0.0.1', '[::ffff:127.0.0.1]');
      const error = await expectTold(at(url, ca()).read(ANCHOR), {
        kind: 'unreachable',
        why: /does not match|altnames/i,
        cure: `the certificate belongs to another name: check the address of ${new URL(url).host}`,
      });
      expect(error.temporary).toBe(false);
    });

    test('no TLS at an https: address is told', async () => {
      const url = server.url.replace('http:', 'https:');
      await expectTold(at(url).read(ANCHOR), { kind: 'unreachable', why: /./, cure: 'is it https at that port' });
    });

    test('a name that nobody knows is told', async () => {
      await expectTold(at('http://depot.invalid/lfs').read(ANCHOR), {
        kind: 'unreachable',
        why: /ENOTFOUND|EAI_AGAIN/,
        cure: /no such name: check the address|the name could not be looked up/,
      });
    });

    test('a port at which nothing listens is told', async () => {
      const [port] = await freePorts(1);
      await expectTold(at(`http://127.0.0.1:${port}/lfs`).read(ANCHOR), {
        kind: 'unreachable',
        why: 'ECONNREFUSED',
        cure: `nothing listens there: is 127.0.0.1:${port} running, and is the port right?`,
      });
    });

    test.each(['http', 'https'])('silence at an %s: address is told, and comes to an end', async (scheme) => {
      const mute = createServer((socket) => socket.on('error', () => {}).resume());
      await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));
      const { port } = mute.address() as { port: number };
      try {
        const why =
          scheme === 'http' ? 'the server has not answered for 2 seconds' : 'no connection could be made for 2 seconds';
        const silent: Told = { kind: 'unreachable', why, cure: 'check the network' };
        await expectTold(at(`${scheme}://127.0.0.1:${port}/lfs`).read(ANCHOR), silent);
      } finally {
        mute.close();
      }
    });
  });
});

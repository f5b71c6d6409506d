import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Result, Sandbox } from '../sandbox.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.ts';
import { redirect } from '../servers/faults.ts';
import { type ForwardProxy, startForwardProxy } from '../servers/forward-proxy.ts';
import { isInstalled } from '../servers/installed.ts';
import { PASSWORD, USER } from '../servers/server.ts';
import { expectSameWorktree, objectFile, oidOf, soundStore } from './objects.ts';
import { until } from './processes.ts';
import { hurry, knowPassword, webTeam } from './web-team.ts';

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`the network${MISSING ? ': apache is not installed' : ''}`, () => {
  /** One store for all, to which each test brings an object by ways of its own. */
  let server: ApacheServer;
  let origin: string;
  let box: Sandbox;
  const urls = { http: '', https: '', client: '' };
  const ca = (): Settings => ({ 'http.sslCAInfo': server.certificates.ca });
  const stored = (): string => join(server.root, 'art');
  beforeAll(async () => {
    server = await startApache();
    urls.http = `${server.url}/art`;
    urls.https = `${server.tlsUrl}/art`;
    urls.client = `${server.clientTlsUrl}/art`;
    origin = new URL(urls.https).origin;
    box = new Sandbox();
    await hurry(box);
    await webTeam(box, urls.http);
  });
  afterAll(async () => {
    await server?.stop();
    box?.remove();
  });

  type Settings = Record<string, string>;

  /** As `-c` gives them to git. */
  const words = (url: string, settings: Settings): string[] =>
    Object.entries({ 'lfs.url': `depot::${url}`, ...settings }).flatMap(([key, value]) => ['-c', `${key}=${value}`]);

  /** A new object of Alice's, which she has not pushed. */
  async function newObject(size = 1000): Promise<string> {
    const content = readFileSync(box.write('alice/a.bin', size));
    await box.git('alice', 'add', '.');
    return oidOf(content);
  }

  /** Pushes an object to the store at that URL, by such settings. */
  async function push(oid: string, url: string, settings: Settings = {}, env: Settings = {}): Promise<Result> {
    await knowPassword(box, url);
    const args = [...words(url, settings), 'lfs', 'push', '--object-id', 'origin', oid];
    return box.run('git', args, { cwd: 'alice', env });
  }

  async function expectPushed(url: string, settings: Settings = {}, env: Settings = {}): Promise<void> {
    const oid = await newObject();
    expect(await push(oid, url, settings, env)).toMatchObject({ status: 0 });
    expect(soundStore(stored())).toContain(oid);
  }

  interface Told {
    code: number;
    why: string | RegExp;
    cure: string | RegExp;
  }

  /** Nothing was stored, and the message has the code, the location and a hint. */
  function expectFailure({ status, stderr }: Result, oid: string, url: string, { code, why, cure }: Told): void {
    expect(status).not.toBe(0);
    const [, told, line, hint] = /: \[(\d)\] ([^\n]+)\nhint: (.+)$/s.exec(stderr) ?? [];
    expect(Number(told)).toBe(code);
    expect(line).toContain(url);
    expect(line).toMatch(why);
    expect(hint).toMatch(cure);
    expect(existsSync(objectFile(stored(), oid))).toBe(false);
  }

  async function expectFailed(url: string, settings: Settings, env: Settings, told: Told): Promise<Result> {
    const oid = await newObject();
    const result = await push(oid, url, settings, env);
    expectFailure(result, oid, url, told);
    return result;
  }

  describe('a proxy', () => {
    let proxy: ForwardProxy;
    let guarded: ForwardProxy;
    beforeAll(async () => {
      proxy = await startForwardProxy();
      guarded = await startForwardProxy(true);
    });
    afterAll(async () => {
      await proxy?.stop();
      await guarded?.stop();
    });
    let before = 0;
    beforeEach(() => {
      before = proxy.log().length;
    });

    const used = (): string[] => proxy.log().slice(before);
    const putBy = (line: string): boolean => line.startsWith(`PUT ${urls.http}/tmp/`) && line.endsWith(' 201');
    const tunnel = (line: string): boolean => line === `CONNECT ${new URL(urls.https).host} HTTP/1.1 200`;

    test('from http.proxy is used for http: and https:', async () => {
      await expectPushed(urls.http, { 'http.proxy': proxy.url });
      expect(used().some(putBy)).toBe(true);
      await expectPushed(urls.https, { ...ca(), 'http.proxy': proxy.url });
      await until('the tunnel is closed', () => used().some(tunnel));
    });

    test('from http.<url>.proxy is used for that URL only', async () => {
      const dead = 'http://127.0.0.1:9';
      const other = 'http://elsewhere.example.com';
      const here = new URL(urls.http).origin;
      const settings = { 'http.proxy': dead, [`http.${here}.proxy`]: proxy.url, [`http.${other}.proxy`]: dead };
      await expectPushed(urls.http, settings);
      expect(used().some(putBy)).toBe(true);
    });

    test.each([
      ['https_proxy', 'https'],
      ['HTTPS_PROXY', 'https'],
      ['ALL_PROXY', 'https'],
      ['http_proxy', 'http'],
    ] as const)('from %s is used', async (name, scheme) => {
      await expectPushed(urls[scheme], ca(), { [name]: proxy.url });
      await until('it was used', () => used().some(scheme === 'http' ? putBy : tunnel));
    });

    test.each([['NO_PROXY'], ['no_proxy']])('is not used for what %s names', async (name) => {
      await expectPushed(urls.http, { 'http.proxy': proxy.url }, { [name]: 'example.com,127.0.0.1' });
      await expectPushed(urls.https, ca(), { HTTPS_PROXY: proxy.url, [name]: '127.0.0.1' });
      expect(used()).toEqual([]);
    });

    test.each(['http', 'https'] as const)('with a password lets %s: through', async (scheme) => {
      const url = guarded.url.replace('//', `//${USER}:${PASSWORD}@`);
      await expectPushed(urls[scheme], { ...ca(), 'http.proxy': url });
    });

    test.each(['http', 'https'] as const)('has its password from git’s credential helper: %s', async (scheme) => {
      const url = guarded.url.replace('//', `//${USER}@`);
      const helper = `!f() { cat >/dev/null; echo password=${PASSWORD}; }; f`;
      await expectPushed(urls[scheme], { ...ca(), 'http.proxy': url, [`credential.${guarded.url}.helper`]: helper });
    });

    test.each(['http', 'https'] as const)('that wants a password is told from the server: %s', async (scheme) => {
      const told: Told = { code: 6, why: /407/, cure: /^the proxy wants a user name and a password/ };
      for (const login of ['', `${USER}:s3cret@`]) {
        const url = guarded.url.replace('//', `//${login}`);
        const { stderr } = await expectFailed(urls[scheme], { ...ca(), 'http.proxy': url }, {}, told);
        expect(stderr).not.toContain('s3cret');
      }
    });

    test.each(['http', 'https'] as const)('that does not run is told from the server: %s', async (scheme) => {
      const told: Told = { code: 3, why: /ECONNREFUSED 127\.0\.0\.1:9/, cure: /proxy/ };
      await expectFailed(urls[scheme], { ...ca(), 'http.proxy': 'http://127.0.0.1:9' }, {}, told);
    });
  });

  describe('a certificate', () => {
    test.each<[string, () => Settings, () => Settings]>([
      ['http.sslCAInfo', ca, () => ({})],
      ['GIT_SSL_CAINFO', () => ({}), () => ({ GIT_SSL_CAINFO: server.certificates.ca })],
      ['http.<url>.sslCAInfo', () => ({ [`http.${origin}/.sslCAInfo`]: server.certificates.ca }), () => ({})],
      ['the authorities of the system', () => ({}), () => ({ SSL_CERT_FILE: server.certificates.ca })],
      ['http.sslVerify=false', () => ({ 'http.sslVerify': 'false' }), () => ({})],
      ['GIT_SSL_NO_VERIFY', () => ({}), () => ({ GIT_SSL_NO_VERIFY: '1' })],
    ])('of a private authority is taken by %s', async (_, settings, env) => {
      await expectPushed(urls.https, settings(), env());
    });

    test('of an authority that nobody knows is refused, with the setting', async () => {
      const elsewhere = { 'http.https://example.com/.sslCAInfo': server.certificates.ca };
      const cure = `git config --global http.${origin}/.sslCAInfo /path/to/ca.pem`;
      await expectFailed(urls.https, elsewhere, {}, { code: 3, why: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', cure });
    });

    test('of the client opens a server that wants one', async () => {
      const { cert, key } = server.certificates.client;
      await expectPushed(urls.client, { ...ca(), 'http.sslCert': cert, 'http.sslKey': key });
    });

    test('of the client that is missing is named', async () => {
      const cure = `git config --global http.${new URL(urls.client).origin}/.sslCert `;
      const told: Told = { code: 3, why: /: tlsv13 alert certificate required \(\w+\)$/, cure };
      await expectFailed(urls.client, ca(), {}, told);
    });

    test('of the client with the key of another is refused', async () => {
      const { client, server: other } = server.certificates;
      const settings = { ...ca(), 'http.sslCert': client.cert, 'http.sslKey': other.key };
      await expectFailed(urls.client, settings, {}, { code: 2, why: 'key values mismatch', cure: 'http.sslKey' });
    });
  });

  describe('a redirect from http: to https:', () => {
    let http: FaultProxy;
    afterEach(() => http?.stop());

    test.each([301, 302, 307, 308])('by %i is followed by no password, and the address is told', async (status) => {
      http = await startFaultProxy(server.url, ({ path }) => redirect(`${origin}${path}`, status));
      const told: Told = {
        code: 2,
        why: new RegExp(`: the server points to another place \\(${status}\\): ${urls.https}$`),
        cure: 'lfs-depot init <location>',
      };
      await expectFailed(`${http.url}/art`, ca(), {}, told);
      expect(http.requests.some(({ headers }) => headers.authorization)).toBe(false);
    });
  });

  describe('a server that', () => {
    let listening: Server | undefined;
    let faulty: FaultProxy | undefined;
    const sockets = new Set<Socket>();
    afterEach(async () => {
      for (const socket of sockets) socket.destroy();
      listening?.close();
      await faulty?.stop();
    });

    /** A fake: no real server keeps silent on demand. */
    async function mute(): Promise<string> {
      listening = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).resume();
      });
      listening.listen(0, '127.0.0.1');
      await once(listening, 'listening');
      return `127.0.0.1:${(listening.address() as AddressInfo).port}/lfs/art`;
    }

    /** Bytes: what two sockets take in on their own passes for sent. */
    const MORE_THAN_BUFFERS = 30_000_000;
    const IMPATIENT: Settings = {
      'lfs.activitytimeout': '1',
      'lfs.dialtimeout': '1',
      'lfs.tlstimeout': '1',
      'depot.retries': '0',
    };

    test('accepts and never answers is given up', async () => {
      const told: Told = { code: 3, why: 'the server has not answered for 3 seconds', cure: 'check' };
      await expectFailed(`http://${await mute()}`, IMPATIENT, {}, told);
    });

    test('accepts and never speaks TLS is given up', async () => {
      const told: Told = { code: 3, why: 'no connection could be made for 2 seconds', cure: 'check' };
      await expectFailed(`https://${await mute()}`, IMPATIENT, {}, told);
    });

    test('stops in the middle of an upload is given up', async () => {
      faulty = await startFaultProxy(server.url, ({ method }) =>
        method === 'PUT' ? { kind: 'stall', of: 'request', after: 1000 } : undefined,
      );
      const url = `${faulty.url}/art`;
      const oid = await newObject(MORE_THAN_BUFFERS);
      const result = await push(oid, url, IMPATIENT);
      expectFailure(result, oid, url, { code: 3, why: 'not a byte has moved for 1 seconds', cure: 'check' });
    });

    test('is slow and alive is waited for', async () => {
      // In all it takes longer than any silence may. Not slower: a kernel takes megabytes at once, and says nothing in between.
      faulty = await startFaultProxy(server.url, ({ method }) => {
        if (method === 'PUT') return { kind: 'drip', of: 'request', bytes: 65_536, every: 10 };
        return method === 'GET' ? { kind: 'drip', of: 'response', bytes: 65_536, every: 10 } : undefined;
      });
      const url = `${faulty.url}/art`;
      // For a busy machine, on which all may stand still for that second: who ends a living transfer does so each time.
      const settings = { ...IMPATIENT, 'depot.retries': '2' };
      const oid = await newObject(MORE_THAN_BUFFERS);
      expect(await push(oid, url, settings)).toMatchObject({ status: 0 });
      expect(soundStore(stored())).toContain(oid);
      await box.git('alice', 'commit', '-qm', 'large');
      await box.git('alice', 'push', '-q', '--no-verify', 'origin', 'HEAD');
      await box.git('.', ...words(url, settings), 'clone', '-q', 'remote.git', 'bob');
      expectSameWorktree(box.path('alice'), box.path('bob'));
    });
  });
});

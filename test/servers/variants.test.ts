import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startApache } from './apache.ts';
import { isInstalled } from './installed.ts';
import { startNginx, startNginxProxy } from './nginx.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';

const BASIC = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
const NO_APACHE = !isInstalled('apache');
const NO_NGINX = !isInstalled('nginx');

const running: DavServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0).reverse()) await server.stop();
});
async function up<S extends DavServer>(starting: Promise<S>): Promise<S> {
  const server = await starting;
  running.push(server);
  return server;
}

describe.skipIf(NO_APACHE)(`Apache's further ports${NO_APACHE ? ': apache is not installed' : ''}`, () => {
  test('Digest', async () => {
    const { digestUrl } = await up(startApache());
    const url = `${digestUrl}/file`;
    const { status, headers } = await ask(url, 'GET', { authorization: BASIC });
    expect(status).toBe(401);
    const challenge = headers['www-authenticate'] ?? '';
    expect(challenge).toContain('Digest realm="DAV"');
    const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const [one, two] = [md5(`${USER}:DAV:${PASSWORD}`), md5('PUT:/lfs/file')];
    const response = md5(`${one}:${nonce}:00000001:c:auth:${two}`);
    const authorization =
      `Digest username="${USER}", realm="DAV", nonce="${nonce}", uri="/lfs/file", algorithm=MD5, ` +
      `qop=auth, nc=00000001, cnonce="c", response="${response}"`;
    expect((await ask(url, 'PUT', { authorization }, 'x')).status).toBe(201);
  });

  test('TLS, by a private authority', async () => {
    const { tlsUrl, certificates } = await up(startApache());
    const ca = readFileSync(certificates.ca);
    await expect(ask(`${tlsUrl}/file`, 'GET')).rejects.toThrow(/unable to verify|self-signed|local issuer/);
    expect((await ask(`${tlsUrl}/file`, 'PUT', {}, 'x', { ca })).status).toBe(401);
    expect((await ask(`${tlsUrl}/file`, 'PUT', { authorization: BASIC }, 'x', { ca })).status).toBe(201);
    const byName = tlsUrl.replace('127.0.0.1', 'localhost');
    const headers = { authorization: BASIC, destination: `${byName}/moved`, overwrite: 'F' };
    expect((await ask(`${byName}/file`, 'MOVE', headers, undefined, { ca })).status).toBe(201);
  });

  test('a certificate for the client', async () => {
    const { clientTlsUrl, certificates } = await up(startApache());
    const ca = readFileSync(certificates.ca);
    await expect(ask(`${clientTlsUrl}/file`, 'GET', {}, undefined, { ca })).rejects.toThrow(/alert|ECONNRESET|hang up/);
    const [cert, key] = [readFileSync(certificates.client.cert), readFileSync(certificates.client.key)];
    expect((await ask(`${clientTlsUrl}/file`, 'PUT', {}, 'x', { ca, cert, key })).status).toBe(201);
  });

  test('without a password, and with a limit', async () => {
    const { url } = await up(startApache({ anonymous: true, bodyLimit: 1000 }));
    expect((await ask(`${url}/file`, 'PUT', {}, 'x')).status).toBe(201);
    expect((await ask(`${url}/large`, 'PUT', {}, 'x'.repeat(1001))).status).toBe(413);
  });
});

test.skipIf(NO_APACHE)('Apache behind a server that does the TLS moves only with a setting for that', async () => {
  for (const behindTls of [false, true]) {
    const { url } = await up(startApache({ behindTls }));
    await ask(`${url}/file`, 'PUT', { authorization: BASIC }, 'x');
    const destination = `${url.replace('http:', 'https:')}/moved`;
    const { status } = await ask(`${url}/file`, 'MOVE', { authorization: BASIC, destination, overwrite: 'F' });
    expect(status).toBe(behindTls ? 201 : 502);
  }
});

describe.skipIf(NO_NGINX)(`nginx${NO_NGINX ? ': it is not installed' : ''}`, () => {
  const headers = { authorization: BASIC };

  test('as recommended it makes no folders', async () => {
    const { url, root } = await up(startNginx());
    expect((await ask(`${url}/a/b`, 'PUT', headers, 'x')).status).toBeGreaterThanOrEqual(400);
    expect(existsSync(join(root, 'a'))).toBe(false);
  });

  test('with folders of itself', async () => {
    const { url, root } = await up(startNginx({ makesFolders: true }));
    expect((await ask(`${url}/a/b`, 'PUT', headers, 'x')).status).toBe(201);
    expect(existsSync(join(root, 'a/b'))).toBe(true);
  });

  test('with a limit', async () => {
    const { url } = await up(startNginx({ bodyLimit: 1000 }));
    expect((await ask(`${url}/large`, 'PUT', headers, 'x'.repeat(1001))).status).toBe(413);
  });

  test('without MOVE', async () => {
    const { url } = await up(startNginx({ withoutMove: true }));
    expect((await ask(`${url}/file`, 'PUT', headers, 'x')).status).toBe(201);
    const move = { ...headers, destination: `${url}/moved`, overwrite: 'F' };
    expect((await ask(`${url}/file`, 'MOVE', move)).status).toBe(405);
  });

  test.skipIf(NO_APACHE)('as a proxy with its default limit before Apache', async () => {
    const { url, root } = await up(startNginxProxy(await up(startApache())));
    expect((await ask(`${url}/file`, 'PUT', headers, 'x')).status).toBe(201);
    const move = { ...headers, destination: `${url}/moved`, overwrite: 'F' };
    expect((await ask(`${url}/file`, 'MOVE', move)).status).toBe(201);
    expect(existsSync(join(root, 'moved'))).toBe(true);
    expect((await ask(`${url}/large`, 'PUT', headers, 'x'.repeat(1024 * 1024 + 1))).status).toBe(413);
  });
});

// Not needed, but whoever has it learns more of how the servers are set up.
const LITMUS = spawnSync('litmus', ['--version']).error === undefined;
test.skipIf(!LITMUS || NO_APACHE)(`litmus approves of Apache${LITMUS ? '' : ': litmus is not installed'}`, async () => {
  const { url, root } = await up(startApache());
  const { stdout } = spawnSync('litmus', [url, USER, PASSWORD], { cwd: join(root, '..'), encoding: 'utf8' });
  expect(stdout).toMatch(/summary for `basic': of \d+ tests run: \d+ passed, 0 failed/);
  expect(stdout).toMatch(/summary for `copymove': of \d+ tests run: \d+ passed, 0 failed/);
});

async function ask(url: string, method: string, headers = {}, body?: string, tls: RequestOptions = {}) {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  const length = body === undefined ? {} : { 'content-length': body.length };
  const request = send(url, { method, agent: false, headers: { ...length, ...headers }, ...tls });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode ?? 0, headers: response.headers };
}

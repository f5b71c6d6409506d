import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startApache } from './apache.ts';
import { type FaultProxy, type Plan, startFaultProxy } from './fault-proxy.ts';
import { busy, errorPage, type Fault, loginPage, redirect, unauthorized } from './faults.ts';
import { isInstalled } from './installed.ts';
import { startLatencyProxy } from './latency-proxy.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';

const MISSING = !isInstalled('apache');
const CONTENT = randomBytes(2_000_000);

describe.skipIf(MISSING)(`a fault proxy${MISSING ? ': apache is not installed' : ''}`, () => {
  let server: DavServer;
  let proxy: FaultProxy | undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  beforeAll(async () => {
    server = await startApache();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    agent.destroy();
    await proxy?.stop();
    proxy = undefined;
  });

  /** A proxy with that fault for all requests, or a plan. */
  const faulty = async (fault: Fault | Plan): Promise<string> => {
    proxy = await startFaultProxy(server.url, typeof fault === 'function' ? fault : () => fault);
    return proxy.url;
  };

  test('passes everything without a fault, and counts', async () => {
    const url = await faulty(() => undefined);
    expect((await ask(url, 'PUT', 'passes', CONTENT)).status).toBe(201);
    const { status, body } = await ask(url, 'GET', 'passes');
    expect([status, body.equals(CONTENT)]).toEqual([200, true]);
    const headers = { destination: `${url}/moved`, overwrite: 'F' };
    expect((await ask(url, 'MOVE', 'passes', undefined, headers)).status).toBe(201);
    expect((await ask(url, 'HEAD', 'moved')).headers['content-length']).toBe('2000000');
    expect((await ask(url, 'DELETE', 'moved')).status).toBe(204);
    const seen = proxy!.requests.map(({ method, path, status, nth }) => [method, path, status, nth]);
    expect(seen).toEqual([
      ['PUT', '/lfs/passes', 201, 1],
      ['GET', '/lfs/passes', 200, 2],
      ['MOVE', '/lfs/passes', 201, 3],
      ['HEAD', '/lfs/moved', 200, 4],
      ['DELETE', '/lfs/moved', 204, 5],
    ]);
    expect(proxy!.connections()).toBe(1);
  });

  test.each(['fin', 'rst'] as const)('cuts a request in its middle by %s, and the server loses it too', async (how) => {
    const url = await faulty({ kind: 'cut', of: 'request', after: 1_000_000, how });
    await expect(ask(url, 'PUT', 'cut', CONTENT)).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
    await pause(200);
    expect(existsSync(join(server.root, 'cut'))).toBe(false);
  });

  test.each(['fin', 'rst'] as const)('cuts a response in its middle by %s', async (how) => {
    const url = await faulty({ kind: 'cut', of: 'response', after: 1_000_000, how });
    plant('whole', CONTENT);
    const part = await ask(url, 'GET', 'whole');
    expect(part.aborted).toBe(true);
    expect(part.body.length).toBe(1_000_000);
  });

  test('cuts before the response, though the server has done it', async () => {
    const url = await faulty({ kind: 'cut', of: 'response', how: 'rst' });
    await expect(ask(url, 'PUT', 'unanswered', CONTENT)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(readFileSync(join(server.root, 'unanswered')).equals(CONTENT)).toBe(true);
  });

  test.each([
    { kind: 'stall', of: 'request', after: 500_000 },
    { kind: 'stall', of: 'response' },
    { kind: 'stall', of: 'response', after: 500_000 },
  ] as Fault[])('stalls: %o', async (fault) => {
    const url = await faulty(fault);
    plant('stalled', CONTENT);
    const [method, body] = 'of' in fault && fault.of === 'request' ? ['PUT', CONTENT] : ['GET', undefined];
    const outcome = ask(url, method as string, 'stalled', body as Buffer | undefined).then(
      () => 'ended',
      () => 'broke',
    );
    expect(await Promise.race([outcome, pause(500, 'stalls')])).toBe('stalls');
    await proxy!.stop();
    proxy = undefined;
    await outcome;
  });

  test('drips a response', async () => {
    const url = await faulty({ kind: 'drip', of: 'response', bytes: 1000, every: 5 });
    plant('dripping', CONTENT.subarray(0, 50_000));
    const start = performance.now();
    expect((await ask(url, 'GET', 'dripping')).body.length).toBe(50_000);
    expect(performance.now() - start).toBeGreaterThan(200);
  });

  test('damages a byte, on the way there and back', async () => {
    const wrong = Buffer.from(CONTENT);
    wrong[1_234_567]! ^= 0xff;
    let url = await faulty({ kind: 'damage', of: 'request', at: 1_234_567 });
    expect((await ask(url, 'PUT', 'damaged', CONTENT)).status).toBe(201);
    expect(readFileSync(join(server.root, 'damaged')).equals(wrong)).toBe(true);
    await proxy!.stop();
    url = await faulty({ kind: 'damage', of: 'response', at: 1_234_567 });
    expect((await ask(url, 'GET', 'damaged')).body.equals(CONTENT)).toBe(true);
  });

  test('lies about the length', async () => {
    plant('lied', Buffer.from('0123456789'));
    let url = await faulty({ kind: 'length', by: 5 });
    const more = await ask(url, 'GET', 'lied');
    expect([more.headers['content-length'], more.body.length, more.aborted]).toEqual(['15', 10, true]);
    await proxy!.stop();
    url = await faulty({ kind: 'length', by: -4 });
    expect((await ask(url, 'GET', 'lied')).body.toString()).toBe('012345');
  });

  test('answers itself: a refusal in the middle of a body, a busy server, a login page, a redirect', async () => {
    const faults: Record<string, Fault> = {
      password: unauthorized(700_000, ['Negotiate', 'Basic realm="x"']),
      busy: busy(429, '3'),
      login: loginPage(),
      elsewhere: redirect('https://example.com/'),
      large: errorPage(413, 'Request Entity Too Large', true),
    };
    const url = await faulty(({ path }) => faults[path.replace('/lfs/', '')]);
    const refused = await ask(url, 'PUT', 'password', CONTENT);
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Negotiate, Basic realm="x"');
    expect((await ask(url, 'PUT', 'busy', CONTENT)).headers['retry-after']).toBe('3');
    expect((await ask(url, 'GET', 'login')).body.toString()).toContain('<form>');
    expect((await ask(url, 'GET', 'elsewhere')).headers.location).toBe('https://example.com/');
    expect((await ask(url, 'PUT', 'large', Buffer.from('x'))).status).toBe(413);
    expect(proxy!.requests.map(({ status }) => status)).toEqual([401, 429, 200, 302, 413]);
    expect(existsSync(join(server.root, 'password'))).toBe(false);
  });

  test('changes headers in both directions', async () => {
    plant('ranged', CONTENT);
    const url = await faulty({ kind: 'headers', request: { range: null }, response: { etag: null, server: 'other' } });
    const { status, headers } = await ask(url, 'GET', 'ranged', undefined, { range: 'bytes=5-9' });
    expect([status, headers.etag, headers.server]).toEqual([200, undefined, 'other']);
  });

  test('closes an idle connection without a word', async () => {
    plant('idle', Buffer.from('x'));
    const url = await faulty({ kind: 'close-idle', after: 20 });
    expect((await ask(url, 'GET', 'idle')).headers.connection).not.toBe('close');
    await pause(200);
    expect((await ask(url, 'GET', 'idle')).status).toBe(200);
    expect(proxy!.connections()).toBe(2);
  });

  test('hands on 100 Continue, or the refusal in its place', async () => {
    const url = await faulty(() => undefined);
    const headers = { expect: '100-continue' };
    expect((await ask(url, 'PUT', 'expected', CONTENT, headers)).status).toBe(201);
    expect((await ask(url, 'PUT', 'refused', CONTENT, { ...headers, authorization: 'Basic eDp5' })).status).toBe(401);
    expect(readFileSync(join(server.root, 'expected')).equals(CONTENT)).toBe(true);
  });

  test('a latency proxy delays, and changes nothing', async () => {
    plant('far', CONTENT);
    const far = await startLatencyProxy(server.url, 50);
    try {
      const start = performance.now();
      const { body } = await ask(far.url, 'GET', 'far');
      expect(digest(body)).toBe(digest(CONTENT));
      expect(performance.now() - start).toBeGreaterThan(190);
      const again = performance.now();
      expect((await ask(far.url, 'PUT', 'far', CONTENT)).status).toBe(204);
      expect(performance.now() - again).toBeGreaterThan(95);
    } finally {
      await far.stop();
    }
  });

  const plant = (name: string, content: Buffer): void => {
    writeFileSync(join(server.root, name), content);
    server.adopt(join(server.root, name));
  };

  interface Outcome {
    status: number | undefined;
    headers: IncomingMessage['headers'];
    body: Buffer;
    aborted: boolean;
  }

  async function ask(url: string, method: string, name: string, body?: Buffer, more = {}): Promise<Outcome> {
    const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
    const length = body && { 'content-length': body.length };
    const request = httpRequest(`${url}/${name}`, { method, agent, headers: { authorization, ...length, ...more } });
    const waits = 'expect' in more;
    request.on('error', () => {}); // After the response, too, a fault may show here.
    if (waits) request.on('continue', () => request.end(body));
    else request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    if (waits && response.statusCode === 401) request.destroy();
    const chunks: Buffer[] = [];
    const aborted = await new Promise<boolean>((done) => {
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', () => done(true));
      response.on('end', () => done(false));
    });
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks), aborted };
  }
});

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isInstalled } from './installed.ts';
import { type Nextcloud, startNextcloud } from './nextcloud.ts';
import { PASSWORD, USER } from './server.ts';

const MISSING = !isInstalled('sabre');
const MIB = 1024 * 1024;
const CONTENT = randomBytes(12_000_000);

describe.skipIf(MISSING)(`the imitation of Nextcloud${MISSING ? ': sabre is not installed' : ''}`, () => {
  let cloud: Nextcloud;
  let id = '';
  beforeAll(async () => {
    cloud = await startNextcloud({ at: '/cloud', bodyLimit: 6 * MIB });
    mkdirSync(join(cloud.root, 'folder'));
  });
  afterAll(() => cloud.stop());
  beforeEach(() => {
    id = `test-${randomBytes(8).toString('hex')}`;
  });

  const ask = (method: string, url: string, headers: Record<string, string> = {}, body?: Buffer) =>
    fetch(url, {
      method,
      headers: { authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`, ...headers },
      ...(body && { body: new Uint8Array(body) }),
    });
  const status = async (...args: Parameters<typeof ask>): Promise<number> => (await ask(...args)).status;
  const onto = (name: string): Record<string, string> => ({ destination: `${cloud.url}/${name}` });

  /** An upload whose parts are sent, not assembled. */
  const chunks = async (name: string, parts: Record<string, Buffer>): Promise<string> => {
    const url = `${cloud.uploadsUrl}/${id}`;
    expect(await status('MKCOL', url, onto(name))).toBe(201);
    for (const [number, part] of Object.entries(parts)) {
      expect(await status('PUT', `${url}/${number}`, onto(name), part)).toBe(201);
    }
    return url;
  };
  const parts = {
    '00010': CONTENT.subarray(10 * MIB),
    '00009': CONTENT.subarray(5 * MIB, 10 * MIB),
    '00001': CONTENT.subarray(0, 5 * MIB),
  };

  test('a file of 12 MB in chunks, in the order of their numbers', async () => {
    const url = await chunks('folder/big file', parts);
    const listing = await (await ask('PROPFIND', url, { depth: '1' })).text();
    expect(listing).toContain('/00010</d:href>');
    expect(listing).toContain('<d:getcontentlength>12000000<');
    expect(await status('GET', `${url}/00001`)).toBe(405);
    const headers = { ...onto('folder/big%20file'), 'oc-total-length': '12000000' };
    expect(await status('MOVE', `${url}/.file`, headers)).toBe(201);
    expect(readFileSync(join(cloud.root, 'folder/big file')).equals(CONTENT)).toBe(true);
    expect(await cloud.uploads()).toEqual([]);
    const { length } = Buffer.from(await (await ask('GET', `${cloud.url}/folder/big%20file`)).arrayBuffer());
    expect(length).toBe(CONTENT.length);
  });

  test('what is refused', async () => {
    const url = `${cloud.uploadsUrl}/${id}`;
    expect(await status('MKCOL', url)).toBe(400);
    expect(await status('PUT', `${url}/1`, onto('x'), Buffer.from('x'))).toBe(404);
    await chunks('x', { '1': Buffer.alloc(100), '2': Buffer.alloc(100) });
    expect(await status('MKCOL', url, onto('x'))).toBe(405);
    for (const name of ['0', '10001', 'first'])
      expect(await status('PUT', `${url}/${name}`, onto('x'), Buffer.from('x'))).toBe(400);
    expect(await status('PUT', `${url}/3`, {}, Buffer.from('x'))).toBe(400);
    expect(await status('PUT', `${url}/3`, { ...onto('x'), authorization: '' }, Buffer.from('x'))).toBe(401);
    expect(await status('MOVE', `${url}/.file`, { ...onto('x'), 'oc-total-length': '199' })).toBe(400);
    expect(await status('MOVE', `${url}/.file`, onto('x'))).toBe(400);
    expect(await status('MOVE', `${url}/.file`, onto('nowhere/x'))).toBe(409);
    expect(await status('DELETE', url)).toBe(204);
    expect(await status('DELETE', url)).toBe(404);
    expect(existsSync(join(cloud.root, 'x'))).toBe(false);
  });

  test('an existing file is kept, or replaced, as Overwrite says', async () => {
    expect(await status('PUT', `${cloud.url}/old`, {}, Buffer.from('old'))).toBe(201);
    const url = await chunks('old', { '1': Buffer.from('new') });
    expect(await status('MOVE', `${url}/.file`, { ...onto('old'), overwrite: 'F' })).toBe(412);
    expect(readFileSync(join(cloud.root, 'old'), 'utf8')).toBe('old');
    expect(await status('MOVE', `${url}/.file`, { ...onto('old'), overwrite: 'T' })).toBe(204);
    expect(readFileSync(join(cloud.root, 'old'), 'utf8')).toBe('new');
  });

  test('troubles on demand: a limit for bodies, a lock, an assembly that outlasts the proxy', async () => {
    const large = await ask('PUT', `${cloud.url}/large`, {}, Buffer.alloc(7 * MIB));
    expect([large.status, await large.text()]).toEqual([413, expect.stringContaining('nginx')]);
    cloud.lock(1);
    expect(await status('PUT', `${cloud.url}/locked`, {}, Buffer.from('x'))).toBe(423);
    expect(await status('PUT', `${cloud.url}/locked`, {}, Buffer.from('x'))).toBe(201);
    const url = await chunks('slow', { '1': Buffer.from('slow') });
    cloud.timeOut(300);
    expect(await status('MOVE', `${url}/.file`, onto('slow'))).toBe(504);
    expect(await status('MOVE', `${url}/.file`, onto('slow'))).toBe(423);
    await pause(600);
    expect(await status('MOVE', `${url}/.file`, onto('slow'))).toBe(404);
    expect(readFileSync(join(cloud.root, 'slow'), 'utf8')).toBe('slow');
  });

  test('it is a WebDAV server, and tells who it is', async () => {
    const { productname } = (await (await fetch(new URL('/cloud/status.php', cloud.url))).json()) as {
      productname: string;
    };
    expect(productname).toBe('Nextcloud');
    const listing = await ask('PROPFIND', `${cloud.url}/`, { depth: '1' });
    expect(listing.status).toBe(207);
    expect(await listing.text()).toContain(`/cloud/remote.php/dav/files/${USER}/folder/`);
    expect(await status('PUT', `${cloud.url}/one`, {}, Buffer.from('x'))).toBe(201);
    expect(await status('MOVE', `${cloud.url}/one`, { ...onto('two'), overwrite: 'F' })).toBe(201);
    expect(cloud.requests.at(-1)).toEqual({
      method: 'MOVE',
      path: `/cloud/remote.php/dav/files/${USER}/one`,
      status: 201,
    });
  });
});

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CAN_LOOK, sessionMembers, until } from '../e2e/processes.ts';
import { startApache } from './apache.ts';
import { isInstalled, type ServerName } from './installed.ts';
import { startLighttpd } from './lighttpd.ts';
import { startNephele } from './nephele.ts';
import { startNginx } from './nginx.ts';
import { startRclone } from './rclone.ts';
import { startSabre } from './sabre.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';

const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
const SERVERS: Record<ServerName, () => Promise<DavServer>> = {
  apache: startApache,
  nginx: startNginx,
  lighttpd: startLighttpd,
  rclone: startRclone,
  sabre: startSabre,
  nephele: startNephele,
};

describe.each(Object.keys(SERVERS) as ServerName[])('%s', (name) => {
  const missing = !isInstalled(name);
  const reason = missing ? `: ${name} is not installed` : '';
  let server: DavServer;
  beforeAll(async () => {
    if (!missing) server = await SERVERS[name]();
  });
  afterAll(() => server?.stop());

  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: Buffer) =>
    fetch(`${server.url}/${path}`, {
      method,
      headers: { authorization: AUTHORIZATION, ...headers },
      ...(body && { body: new Uint8Array(body) }),
    });

  test.skipIf(missing)(`is a WebDAV server for ${USER}${reason}`, async () => {
    const content = randomBytes(3_000_000);
    expect((await ask('PUT', 'one', {}, content)).status).toBe(201);
    expect(Buffer.from(await (await ask('GET', 'one')).arrayBuffer()).equals(content)).toBe(true);
    expect(readFileSync(join(server.root, 'one')).equals(content)).toBe(true);

    expect((await ask('PUT', 'two', {}, Buffer.from('2'))).status).toBe(201);
    const onto = { destination: `${server.url}/one`, overwrite: 'F' };
    expect([412, 207]).toContain((await ask('MOVE', 'two', onto)).status);
    expect(readFileSync(join(server.root, 'one')).equals(content)).toBe(true);
    const free = { ...onto, destination: `${server.url}/three` };
    expect([201, 204]).toContain((await ask('MOVE', 'two', free)).status);

    const listing = await ask('PROPFIND', '', { depth: '1' });
    expect(listing.status).toBe(207);
    expect(await listing.text()).toContain('three');
    expect((await ask('DELETE', 'three')).ok).toBe(true);
    expect((await ask('MKCOL', 'folder/')).status).toBe(201);
    expect(readdirSync(server.root).sort()).toEqual(['folder', 'one']);

    const stranger = await ask('GET', 'one', { authorization: '' });
    expect(stranger.status).toBe(401);
    expect(stranger.headers.get('www-authenticate')).toContain('Basic');
  });

  test.skipIf(missing || !CAN_LOOK)(`leaves no process behind, and no folder${reason}`, async () => {
    const other = await SERVERS[name]();
    expect(sessionMembers(other.session).length).toBeGreaterThan(0);
    await other.stop();
    await until('its processes are gone', () => sessionMembers(other.session).length === 0);
    await expect(fetch(other.url)).rejects.toThrow();
    expect(existsSync(other.root)).toBe(false);
    await other.stop();
  });

  test.skipIf(missing || !CAN_LOOK)(`goes with the process that started it, even by kill -9${reason}`, async () => {
    const module = resolve(import.meta.dirname, `${name}.ts`);
    const start = `start${name[0]?.toUpperCase()}${name.slice(1)}`;
    const program = `const { ${start} } = await import(${JSON.stringify(module)});
      const { session, root } = await ${start}();
      console.log(JSON.stringify({ session, root }));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const { session, root } = JSON.parse(String(line));
    expect(sessionMembers(session).length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await until('its processes are gone', () => sessionMembers(session).length === 0);
    rmSync(dirname(root), { recursive: true });
  });
});

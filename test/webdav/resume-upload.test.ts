import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectSameWorktree, oidOf, soundStore } from '../e2e/objects.ts';
import { webTeam } from '../e2e/web-team.ts';
import { type Result, Sandbox } from '../sandbox.ts';
import { type FaultProxy, type SeenRequest, startFaultProxy } from '../servers/fault-proxy.ts';
import { busy, type Fault } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import { type Nextcloud, startNextcloud } from '../servers/nextcloud.ts';
import { startNginxProxy } from '../servers/nginx.ts';
import type { DavServer } from '../servers/server.ts';
import { writeScript } from './script.ts';

const MIB = 1024 * 1024;
/** Two parts, or fourteen where a proxy lets only small ones through. */
const SIZE = 70 * MIB - 1000;

const NO_NGINX = !isInstalled('nginx');
const NO_SABRE = !isInstalled('sabre');
const reason = NO_SABRE ? ': sabre is not installed' : '';

describe.skipIf(NO_SABRE)(`an upload to Nextcloud in parts${reason}`, { timeout: 240_000 }, () => {
  const script = writeScript();
  let cloud: Nextcloud;
  let nginx: DavServer | undefined;
  let proxy: FaultProxy;
  let box: Sandbox;
  let oid: string;
  beforeEach(async () => {
    script.calm();
    cloud = await startNextcloud();
    box = new Sandbox();
  });
  afterEach(async () => {
    await proxy?.stop();
    await nginx?.stop();
    nginx = undefined;
    await cloud?.stop();
    box?.remove();
  });

  /** Alice has a large object, for a store behind a faulty network, and a proxy with a limit if one is given. */
  async function team(settings: Record<string, string>, limit?: number, size = SIZE): Promise<void> {
    nginx = limit === undefined ? undefined : await startNginxProxy(cloud, limit);
    proxy = await startFaultProxy((nginx ?? cloud).url, script.plan);
    for (const [key, value] of Object.entries({ 'depot.retryPause': '10', ...settings })) {
      await box.git('.', 'config', '--global', key, value);
    }
    await webTeam(box, `${proxy.url}/art`);
    oid = oidOf(readFileSync(box.write('alice/large.bin', size)));
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'large');
  }

  const push = (): Promise<Result> => box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });

  async function expectStored(): Promise<void> {
    expect(await push()).toMatchObject({ status: 0 });
    expect(soundStore(join(cloud.root, 'art'))).toEqual([oid]);
    expect(await cloud.uploads()).toEqual([]);
  }

  const isPart = ({ method, path }: { method: string; path: string }): boolean =>
    method === 'PUT' && /\/uploads\/.*\/\d{5}$/.test(path);
  const numberOf = ({ path }: { path: string }): number => Number(path.slice(-5));
  /** The parts that a server took, in order. */
  const takenBy = (requests: readonly { method: string; path: string; status: number | undefined }[]): number[] =>
    requests.filter((request) => isPart(request) && request.status === 201).map(numberOf);
  const cutIn = (part: number, after: number): ((request: SeenRequest) => Fault) => {
    return (request) =>
      numberOf(request) === part ? { kind: 'cut', of: 'request', after, how: 'rst' } : { kind: 'headers' };
  };

  test('that is cut goes on with the part that was cut', async () => {
    await team({ 'depot.retries': '2' });
    script.fault((request) => isPart(request) && numberOf(request) === 2, cutIn(2, 3_000_000), 1);
    await expectStored();
    expect(proxy.requests.filter(isPart).map(numberOf)).toEqual([1, 2, 2]);
  });

  test('that is given up goes on in the next run with the parts that are there', async () => {
    await team({ 'depot.retries': '0' });
    script.fault((request) => isPart(request) && numberOf(request) === 2, cutIn(2, 3_000_000));
    const { status, stderr } = await push();
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/\[3\] cannot store .*\nhint: /);
    expect(takenBy(cloud.requests)).toEqual([1]);
    expect(soundStore(join(cloud.root, 'art'))).toEqual([]);

    script.calm();
    await expectStored();
    expect(takenBy(cloud.requests)).toEqual([1, 2]);
  });

  test.skipIf(NO_NGINX)('behind nginx, which refuses more than 6 MB, is given up and goes on, too', async () => {
    await team({ 'depot.retries': '0' }, 6 * MIB);
    script.fault((request) => isPart(request) && numberOf(request) === 8, cutIn(8, 3_000_000));
    expect((await push()).status).not.toBe(0);
    expect(takenBy(cloud.requests)).toEqual([1, 2, 3, 4, 5, 6, 7]);

    script.calm();
    await expectStored();
    expect(takenBy(cloud.requests)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });

  test('whose part was kept by half is sent that part again', async () => {
    await team({ 'depot.retries': '0' });
    script.fault((request) => isPart(request) && numberOf(request) === 2, busy());
    expect((await push()).status).not.toBe(0);
    const [upload] = await cloud.uploads();
    const first = join(cloud.root, '../uploads', upload!, '00001');
    writeFileSync(first, readFileSync(first).subarray(0, 10 * MIB));
    script.calm();
    await expectStored();
    expect(takenBy(cloud.requests)).toEqual([1, 1, 2]);
  });

  test('is joined while the proxy before it has given up, and a lock stands', async () => {
    await team({ 'depot.retries': '6', 'depot.retryPause': '200' });
    cloud.timeOut(1500);
    await expectStored();
    const joins = cloud.requests.filter(({ method, path }) => method === 'MOVE' && path.endsWith('/.file'));
    expect(joins.map(({ status }) => status).slice(0, 2)).toEqual([504, 423]);
  });

  test('of a file that turns out damaged leaves no part', async () => {
    await team({ 'depot.retries': '0' });
    const file = join(box.path('alice/.git/lfs/objects'), oid.slice(0, 2), oid.slice(2, 4), oid);
    const right = readFileSync(file);
    const damaged = Buffer.from(right);
    damaged.write('damaged', SIZE - 100);
    await box.ok('chmod', ['u+w', file]);
    writeFileSync(file, damaged);
    const { status, stderr } = await push();
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/\[5\] cannot store .* damaged/);
    expect(await cloud.uploads()).toEqual([]);
    writeFileSync(file, right);
    await expectStored();
  });

  test.skipIf(NO_NGINX)('is what becomes of one that nginx finds too large, and a clone has it', async () => {
    await team({ 'depot.retries': '2' }, 6 * MIB, 12 * MIB);
    await expectStored();
    expect(takenBy(cloud.requests)).toEqual([1, 2, 3]);
    expect(proxy.requests.filter(({ method, status }) => method === 'PUT' && status === 413)).toHaveLength(1);
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test.skipIf(NO_NGINX)('does not get past nginx with its default limit, and that is told', async () => {
    await team({ 'depot.retries': '2' }, MIB, 12 * MIB);
    const { status, stderr } = await push();
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/\[7\] cannot store .*413.*nginx/);
    expect(stderr).toMatch(/^hint: .*client_max_body_size/m);
    expect(await cloud.uploads()).toEqual([]);
    expect(soundStore(join(cloud.root, 'art'))).toEqual([]);
  });
});

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { isInstalled } from '../servers/installed.ts';
import { objectFile, oidOf } from './objects.ts';
import { hurry, knowPassword, webTeam } from './web-team.ts';

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`a store on the web${MISSING ? ': apache is not installed' : ''}`, () => {
  let box: Sandbox;
  let server: ApacheServer;
  /** The store, on the server's disk. */
  let folder: string;
  const oids: string[] = [];
  beforeEach(async () => {
    server = await startApache();
    box = new Sandbox();
    await hurry(box);
    await webTeam(box, `${server.url}/art`);
    folder = join(server.root, 'art');
    oids.length = 0;
    // Long ago, so that git-lfs would prune all but the last.
    for (let year = 2000; year < 2040; year++) {
      oids.push(oidOf(readFileSync(box.write('alice/a.bin', 1000))));
      await box.git('alice', 'add', '.');
      const date = `${Math.min(year, 2015)}-01-01T00:00:00Z`;
      const env = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
      await box.ok('git', ['commit', '-qm', 'change'], { cwd: 'alice', env });
    }
    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  });
  afterEach(async () => {
    await server?.stop();
    box?.remove();
  });

  const run = (...args: string[]): Promise<Result> => box.run(PROGRAM, ['status', ...args], { cwd: 'alice' });

  test('each object is asked for', async () => {
    expect(await run('--check')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const [first = '', second = ''] = oids;
    rmSync(objectFile(folder, first));
    writeFileSync(objectFile(folder, second), 'short');
    const { stdout } = await run();
    expect(stdout).toContain('40 objects (40 KB), 38 of them in the store');
    expect(stdout).toContain(first.slice(0, 10));
    expect(stdout).toMatch(new RegExp(`${second.slice(0, 10)}.*damaged there`));
  });

  test('a server that goes away while it is asked did answer, though not about all', async () => {
    let left = 10;
    const isCounted = (path: string): boolean => /[0-9a-f]{64}$/.test(path);
    const proxy = await startFaultProxy(server.url, ({ path }) =>
      isCounted(path) && left-- <= 0 ? { kind: 'cut', of: 'request', how: 'rst' } : undefined,
    );
    try {
      await knowPassword(box, proxy.url);
      await box.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', `depot::${proxy.url}/art`);
      await box.depot('.', 'trust', `${proxy.url}/art`);
      const { stdout } = await run();
      expect(stdout).toMatch(/Store: .*: answered, and then no longer: /);
      expect(stdout).toMatch(/40 objects \(40 KB\), 10 of them in the store\n/);
      expect(stdout).toContain('  30 cannot be told: the store did not say\n');
      expect(stdout).not.toContain('could not be asked');
    } finally {
      await proxy.stop();
    }
  });

  test('what may be pruned is judged by its size, by its content where depot.verify says so', async () => {
    expect(await run('--for-prune')).toMatchObject({
      status: 0,
      stdout: 'safe to prune: 39 objects, all in the store\n',
    });
    writeFileSync(objectFile(folder, oids[3] ?? ''), Buffer.alloc(1000));
    expect((await run('--for-prune')).status).toBe(0);
    await box.git('alice', 'config', 'depot.verify', 'content');
    const { status, stdout } = await run('--for-prune');
    expect(status).toBe(1);
    expect(stdout).toContain('1 may be the last copies');
  });

  test('a wrong password, and a server that is away, are told once', async () => {
    await knowPassword(box, server.url, 'u', 'wrong');
    const refused = await run();
    expect(refused.status).toBe(0);
    expect(refused.stdout).toMatch(/Store: .*: cannot be asked: .*\n {4}hint: .*lfs-depot login/);
    expect(refused.stdout).toContain('40 cannot be told');
    await server.stop();
    const away = await run('--check');
    expect(away.status).toBe(1);
    expect(away.stdout).toContain('it cannot be told whether clones get 40 objects');
    expect((await run('--for-prune')).stdout).toContain('39 could not be asked about');
  });
});

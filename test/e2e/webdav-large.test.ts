import { closeSync, openSync, renameSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { startApache } from '../servers/apache.ts';
import { isInstalled } from '../servers/installed.ts';
import type { DavServer } from '../servers/server.ts';
import { objectFile, oidOfFile } from './objects.ts';
import { agentsOf, CAN_LOOK, peakMemory } from './processes.ts';
import { webTeam } from './web-team.ts';

/** Past the 4 GiB that 32 bits can count. */
const SIZE = 4 * 1024 ** 3 + 12_345;
const MOST_MEMORY = 120 * 1024 * 1024;
const PATIENCE = 15 * 60 * 1000;
const MISSING = !isInstalled('apache');

describe.skipIf(!CAN_LOOK || MISSING)(`4 GiB by WebDAV${MISSING ? ': apache is not installed' : ''}`, () => {
  let box: Sandbox;
  let server: DavServer;
  let root: string;
  let oid: string;
  beforeAll(async () => {
    // Where large files may lie; /tmp is often memory. For the server, too.
    process.env.TMPDIR = '/var/tmp';
    box = new Sandbox('/var/tmp');
    server = await startApache();
    root = join(server.root, 'art');
    await webTeam(box, `${server.url}/art`);
    const content = box.write('content', '');
    truncateSync(content, SIZE);
    const fd = openSync(content, 'r+');
    for (const position of [0, 2 ** 31, 2 ** 32 - 3, SIZE - 7]) writeSync(fd, 'content', position);
    closeSync(fd);
    oid = await oidOfFile(content);
    // What git-lfs would do, without a copy of the holes.
    box.write(objectFile('alice/.git/lfs/objects', oid), '');
    renameSync(content, box.path(objectFile('alice/.git/lfs/objects', oid)));
    box.write('alice/large.bin', `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${SIZE}\n`);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'large');
  }, PATIENCE);
  afterAll(async () => {
    await server?.stop();
    box?.remove();
  });

  /** Runs git to its end, and gives the most memory that one of its agents held. */
  async function peakOf(cwd: string, ...args: string[]): Promise<number> {
    const child = box.start('git', args, { cwd, detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
    let peak = 0;
    const look = setInterval(() => {
      for (const pid of agentsOf(child.pid!)) peak = Math.max(peak, peakMemory(pid));
    }, 20);
    const status = await new Promise((resolve) => child.on('close', resolve));
    clearInterval(look);
    expect(status).toBe(0);
    return peak;
  }

  test('are pushed, in little memory', { timeout: PATIENCE }, async () => {
    const peak = await peakOf('alice', 'push', '-q', 'origin', 'HEAD');
    console.log(`WebDAV, up: ${(peak / 1024 ** 2).toFixed(0)} MiB`);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(MOST_MEMORY);
    expect(statSync(objectFile(root, oid)).size).toBe(SIZE);
    expect(await oidOfFile(objectFile(root, oid))).toBe(oid);
    rmSync(box.path('alice'), { recursive: true });
  });

  test('are fetched, in little memory', { timeout: PATIENCE }, async () => {
    await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    const peak = await peakOf('bob', 'lfs', 'fetch');
    console.log(`WebDAV, down: ${(peak / 1024 ** 2).toFixed(0)} MiB`);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(MOST_MEMORY);
    const fetched = box.path(objectFile('bob/.git/lfs/objects', oid));
    expect(statSync(fetched).size).toBe(SIZE);
    expect(await oidOfFile(fetched)).toBe(oid);
  });
});

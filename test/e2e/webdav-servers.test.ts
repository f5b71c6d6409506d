import { readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesBelow, Sandbox } from '../sandbox.ts';
import { startApache } from '../servers/apache.ts';
import { isInstalled, type ServerName } from '../servers/installed.ts';
import { startLighttpd } from '../servers/lighttpd.ts';
import { startNephele } from '../servers/nephele.ts';
import { startNextcloud } from '../servers/nextcloud.ts';
import { startNginx } from '../servers/nginx.ts';
import { startRclone } from '../servers/rclone.ts';
import { startSabre } from '../servers/sabre.ts';
import type { DavServer } from '../servers/server.ts';
import { expectSameWorktree, objectFile, oidOf, soundStore } from './objects.ts';
import { webTeam } from './web-team.ts';

interface Started {
  server: DavServer;
  /** Default: the server's. */
  url?: string;
  /** What the user has to tell git of it. */
  settings?: Record<string, string>;
}

const plain = (start: () => Promise<DavServer>) => async (): Promise<Started> => ({ server: await start() });

interface Case {
  name: string;
  needs: ServerName;
  start(): Promise<Started>;
  /** Sizes of the files. */
  sizes?: number[];
}

const SIZES = [1, 100_000, 3_000_000];

const CASES: Case[] = [
  { name: 'Apache with Basic', needs: 'apache', start: plain(startApache) },
  {
    name: 'Apache with Digest',
    needs: 'apache',
    start: async () => {
      const server = await startApache();
      return { server, url: server.digestUrl };
    },
  },
  {
    name: 'Apache with TLS by a private authority',
    needs: 'apache',
    start: async () => {
      const server = await startApache();
      return { server, url: server.tlsUrl, settings: { 'http.sslCAInfo': server.certificates.ca } };
    },
  },
  { name: 'nginx', needs: 'nginx', start: plain(startNginx) },
  { name: 'lighttpd', needs: 'lighttpd', start: plain(startLighttpd) },
  { name: 'rclone', needs: 'rclone', start: plain(startRclone) },
  { name: 'sabre', needs: 'sabre', start: plain(startSabre) },
  { name: 'nephele', needs: 'nephele', start: plain(startNephele) },
  // 70 MB go up in parts.
  { name: 'the imitation of Nextcloud', needs: 'sabre', start: plain(startNextcloud), sizes: [...SIZES, 70_000_000] },
];

describe.each(CASES)('$name', ({ needs, start, sizes = SIZES }) => {
  const missing = !isInstalled(needs);
  const reason = missing ? `: ${needs} is not installed` : '';
  let box: Sandbox;
  let server: DavServer;
  /** Where the store lies on the server's disk. */
  let root: string;
  const oids: string[] = [];

  beforeAll(async () => {
    if (missing) return;
    const started = await start();
    server = started.server;
    root = join(server.root, 'art');
    box = new Sandbox();
    for (const [key, value] of Object.entries(started.settings ?? {})) {
      await box.git('.', 'config', '--global', key, value);
    }
    await webTeam(box, `${started.url ?? server.url}/art`);
    for (const size of sizes) oids.push(oidOf(readFileSync(box.write(`alice/${size}.bin`, size))));
    await box.push('alice');
  });
  afterAll(async () => {
    await server?.stop();
    box?.remove();
  });

  /** Names, sizes and times of everything there. */
  const picture = (): string[] =>
    filesBelow(root).map((path) => {
      const { size, mtimeMs, ino } = statSync(join(root, path));
      return `${path} ${size} ${mtimeMs} ${ino}`;
    });

  test.skipIf(missing)(`what was pushed is in the store, and a plain clone gets the same bytes${reason}`, async () => {
    expect(soundStore(root)).toEqual([...oids].sort());
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test.skipIf(missing)(`pushing the same again changes nothing${reason}`, async () => {
    const before = picture();
    await box.git('alice', 'lfs', 'push', '--all', 'origin');
    expect(picture()).toEqual(before);
  });

  test.skipIf(missing)(`a damaged object is healed by a push of the good one${reason}`, async () => {
    for (const push of [
      ['--object-id', 'origin', oids[1]!],
      ['--all', 'origin'],
    ]) {
      truncateSync(objectFile(root, oids[1]!), 50_000);
      await box.git('alice', 'lfs', 'push', ...push);
      expect(soundStore(root)).toEqual([...oids].sort());
    }
  });

  test.skipIf(missing)(`doctor finds all well, and leaves nothing behind${reason}`, async () => {
    const report = await box.depot('alice', 'doctor');
    expect(report).not.toContain('✗');
    expect(report).toContain('✓ moving: the server renames files as it should\n');
    expect(report).toMatch(/\nAll is well\.\n$/);
    expect(soundStore(root)).toEqual([...oids].sort());
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANCHOR } from '../conformance/storage.ts';
import { webFor } from '../conformance/web.ts';
import { webdavStorage } from '../conformance/webdav-storage.ts';
import { startApache } from '../servers/apache.ts';
import { isInstalled } from '../servers/installed.ts';
import { type DavServer, PASSWORD, USER } from '../servers/server.ts';

const MIB = 1024 * 1024;
const SIZE = 25 * MIB;
const AT_ONCE = 8;
/** Each has a megabyte on its way to the disk, and the pieces that come are given back every four, of all together. */
const MOST = 45 * MIB;

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`the memory of downloads${MISSING ? ': apache is not installed' : ''}`, () => {
  let server: DavServer;
  let local: string;
  beforeAll(async () => {
    server = await startApache();
    local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(local, { recursive: true, force: true });
  });

  test('is given back while they go on: eight at once hold little, and are right', async () => {
    const storage = webdavStorage(server, webFor(USER, PASSWORD));
    const backend = storage.open();
    await backend.create();
    await backend.write(ANCHOR, Buffer.from('{}'));
    const content = randomBytes(SIZE);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const names = Array.from({ length: AT_ONCE }, (_, number) => `file-${number}`);
    for (const name of names) storage.plant(name, content);

    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const onProgress = (): void => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    };
    const got = names.map((name) =>
      backend.get(name, join(local, name), { expect: { size: SIZE, sha256 }, onProgress }),
    );
    expect(await Promise.all(got)).toEqual(names.map(() => SIZE));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(MOST);
    for (const name of names) expect(readFileSync(join(local, name)).equals(content)).toBe(true);
    storage.dispose();
  });
});

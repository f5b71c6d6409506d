import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Findings } from '../../backends/backend.ts';
import { isInstalled, type ServerName } from '../servers/installed.ts';
import { type DavServer, PASSWORD, USER } from '../servers/server.ts';
import { describeBackend } from './conformance.ts';
import { ANCHOR, type Traits } from './storage.ts';
import { webFor } from './web.ts';
import { webdavStorage } from './webdav-storage.ts';

// No server looks and moves in one step: of two that publish in one instant, both may be told that they did.
const TRAITS: Traits = { oneCreator: false };

/**
 * The contract of a backend, kept against one real server. Skipped, and says so, where that is not installed.
 * @param known what is to be found out about it.
 */
export function describeWebdav(name: ServerName, start: () => Promise<DavServer>, known: Findings = {}): void {
  const missing = !isInstalled(name);
  const title = missing ? `WebDAV by ${name}: skipped, it is not installed` : `WebDAV by ${name}`;
  // A server that was cut off in a PUT may put its part into the temp folder after the clean-up behind it, which is for a
  // sweep to remove; on a busy machine that is seen now and then.
  describe.skipIf(missing)(title, { retry: 2 }, () => {
    let server: DavServer | undefined;
    let findings: Findings = {};
    beforeAll(async () => {
      server = await start();
      findings = await examine(server);
    });
    afterAll(() => server?.stop());

    const prepare = () => {
      if (!server) throw new Error(`${name} does not run`);
      return webdavStorage(server, webFor(USER, PASSWORD), findings);
    };
    test('what its MOVE is good for is found out', () => expect(findings).toEqual(known));
    describeBackend('a folder on it', prepare, TRAITS);
  });
}

/** What init would write into the marker of a store there. */
async function examine(server: DavServer): Promise<Findings> {
  const storage = webdavStorage(server, webFor(USER, PASSWORD));
  try {
    const backend = storage.open();
    await backend.create();
    await backend.write(ANCHOR, Buffer.from('{}'));
    return await backend.examine();
  } finally {
    storage.dispose();
  }
}

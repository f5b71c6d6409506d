import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Findings } from '../../backends/backend.ts';
import type { WebOptions } from '../../backends/webdav/options.ts';
import { openWebdav } from '../../backends/webdav/webdav.ts';
import type { DavServer } from '../servers/server.ts';
import { diskStorage } from './disk-storage.ts';
import { ANCHOR, type Storage, TEMP } from './storage.ts';

/**
 * A storage in a fresh folder, not yet made, of a server that runs on this machine.
 * @param findings what is known of the server, as an agent knows it from the marker.
 */
export function webdavStorage(server: DavServer, web: WebOptions, findings: Findings = {}): Storage {
  const name = `store-${randomBytes(6).toString('hex')}`;
  const root = join(server.root, name);
  const url = `${server.url}/${name}`;
  return {
    ...diskStorage(root, root, server.adopt),
    location: url,
    findings,
    open: () => {
      const backend = openWebdav(url, { location: url, anchor: ANCHOR, temp: TEMP, web });
      backend.assume(findings);
      return backend;
    },
  };
}

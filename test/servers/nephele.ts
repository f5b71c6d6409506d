import { resolve } from 'node:path';
import { serve } from './serve.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';

const PROGRAM = resolve(import.meta.dirname, 'nephele-server.mjs');

/** Starts Nephele, a WebDAV server for Node. */
export function startNephele(): Promise<DavServer> {
  return serve('nephele', 1, ({ root, ports }) => ({
    url: `http://127.0.0.1:${ports[0]}/lfs`,
    command: process.execPath,
    args: [PROGRAM, root, String(ports[0]), USER, PASSWORD],
  }));
}

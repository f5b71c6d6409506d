import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../backends/backend.ts';
import type { WebOptions } from '../../backends/webdav/options.ts';
import { openWebdav } from '../../backends/webdav/webdav.ts';
import { ANCHOR, type Storage, TEMP } from '../conformance/storage.ts';
import { webFor } from '../conformance/web.ts';
import { webdavStorage } from '../conformance/webdav-storage.ts';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.ts';
import { type DavServer, PASSWORD, USER } from '../servers/server.ts';
import { type Script, writeScript } from './script.ts';

/** Milliseconds: short, so that what stalls ends soon; long enough for a busy machine that does its work. */
const TIMEOUTS = { connect: 5000, idle: 500, answer: 1000 };

/** A storage on a real server, reached through a network that goes wrong as its script says. */
export interface FaultyStore {
  readonly storage: Storage;
  readonly proxy: FaultProxy;
  readonly script: Script;
  /** A folder for local files. */
  readonly local: string;
  /** As an agent has it that has opened the store: logged in, with a connection, while all was calm. */
  open(web?: Partial<WebOptions>): Promise<Backend>;
}

/** Gives a fresh one to a test, with its anchor, and clears it away. */
export async function onFaultyStore(server: DavServer, work: (store: FaultyStore) => Promise<void>): Promise<void> {
  const script = writeScript();
  const proxy = await startFaultProxy(server.url, script.plan);
  const usual = { ...webFor(USER, PASSWORD), timeouts: TIMEOUTS };
  const storage = webdavStorage({ ...server, url: proxy.url }, usual);
  const local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  const open: FaultyStore['open'] = async (web) => {
    const { location = '' } = storage;
    const backend = openWebdav(location, { location, anchor: ANCHOR, temp: TEMP, web: { ...usual, ...web } });
    script.calm();
    await backend.read(ANCHOR);
    return backend;
  };
  try {
    const first = storage.open();
    await first.create();
    await first.write(ANCHOR, Buffer.from('{}'));
    await work({ storage, proxy, script, local, open });
  } finally {
    await proxy.stop();
    storage.dispose();
    rmSync(local, { recursive: true, force: true });
  }
}

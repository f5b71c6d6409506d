import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Samba, Sharing } from './samba.ts';

/** What the guest may ask of the host: one deed on the server, or the share's files as they lie on the disk. */
export type Deed =
  | { deed: 'start' }
  | { deed: 'signal'; signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'; after?: number }
  | { deed: 'close-share'; share: string }
  | { deed: 'hold'; share: string; path: string; shared: Sharing[] }
  | { deed: 'release' }
  | { deed: 'write'; path: string; content: string }
  | { deed: 'files'; folder: string };

export interface FileThere {
  path: string;
  size: number;
  sha256: string;
}

/** Takes deeds as the JSON body of a POST, on a loopback port, which it gives. */
export async function listenForDeeds(samba: Samba): Promise<number> {
  const perform = async (deed: Deed): Promise<unknown> => {
    switch (deed.deed) {
      case 'start':
        return samba.start();
      case 'signal':
        if (deed.after === undefined) return samba.signal(deed.signal);
        setTimeout(() => void samba.signal(deed.signal), deed.after);
        return undefined;
      case 'close-share':
        return samba.closeShare(deed.share);
      case 'hold':
        return samba.hold(deed.share, deed.path, deed.shared);
      case 'release':
        return samba.release();
      case 'write':
        return writeFileSync(join(samba.shares, deed.path), deed.content);
      case 'files':
        return filesBelow(join(samba.shares, deed.folder));
    }
  };
  const server = createServer(async (request, response) => {
    try {
      const body = Buffer.concat(await request.toArray()).toString();
      response.end(JSON.stringify((await perform(JSON.parse(body))) ?? null));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function filesBelow(folder: string): FileThere[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort()
    .map((path) => {
      const content = readFileSync(join(folder, path));
      return { path, size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
    });
}

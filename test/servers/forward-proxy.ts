import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeConfig } from './config-file.ts';
import { findProgram } from './installed.ts';
import { webOwner } from './owner.ts';
import { serve } from './serve.ts';

/** A real HTTP proxy for whoever is told to use it: Apache with mod_proxy_connect. */
export interface ForwardProxy {
  readonly url: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** What it did since it was started, a line for each request, its status at the end; a tunnel shows when it is closed. */
  log(): string[];
  stop(): Promise<void>;
}

/** @param forUsers true: only who is the user of `server.ts` may use it. */
export async function startForwardProxy(forUsers = false): Promise<ForwardProxy> {
  const { url, folder, stop } = await serve('forward-proxy', 1, ({ folder, root, ports }) => {
    const { user, group, adopt } = webOwner();
    writeConfig(folder, 'users.htpasswd', {});
    const config = writeConfig(folder, 'forward-proxy.conf', {
      DIR: folder,
      ROOT: root,
      USER: user,
      GROUP: group,
      MODULES: '/usr/lib/apache2/modules',
      PORT: String(ports[0]),
      WHOM: forUsers ? 'valid-user' : 'all granted',
    });
    return {
      // It serves its own folder too, by which is seen that it runs.
      url: `http://127.0.0.1:${ports[0]}`,
      adopt,
      command: findProgram('apache2') ?? 'apache2',
      args: ['-f', config, '-DFOREGROUND'],
    };
  });
  return {
    url,
    host: new URL(url).host,
    log: () =>
      readFileSync(join(folder, 'access.log'), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.includes(' /ready-')),
    stop,
  };
}

import { writeConfig } from './config-file.ts';
import { findProgram } from './installed.ts';
import { serve } from './serve.ts';
import type { DavServer } from './server.ts';

/** Starts lighttpd with mod_webdav. */
export function startLighttpd(): Promise<DavServer> {
  return serve('lighttpd', 1, ({ folder, ports }) => {
    writeConfig(folder, 'users.htpasswd', {});
    const config = writeConfig(folder, 'lighttpd.conf', { DIR: folder, PORT: String(ports[0]) });
    return {
      url: `http://127.0.0.1:${ports[0]}/lfs`,
      command: findProgram('lighttpd') ?? 'lighttpd',
      args: ['-D', '-f', config],
    };
  });
}

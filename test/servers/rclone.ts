import { devNull } from 'node:os';
import { serve } from './serve.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';

/** Starts `rclone serve webdav` without its write cache, which is its default. */
export function startRclone(): Promise<DavServer> {
  return serve('rclone', 1, ({ folder, root, ports }) => {
    const address = `127.0.0.1:${ports[0]}`;
    const paths = ['--config', devNull, '--cache-dir', `${folder}/cache`, '--baseurl', 'lfs'];
    // It remembers listings for minutes, and tests change files behind its back.
    const caches = ['--vfs-cache-mode', 'off', '--dir-cache-time', '0'];
    const access = ['--addr', address, '--user', USER, '--pass', PASSWORD];
    return {
      url: `http://${address}/lfs`,
      command: 'rclone',
      args: ['serve', 'webdav', root, ...paths, ...caches, ...access],
    };
  });
}

import { dirname } from 'node:path';
import { type Change, writeConfig } from './config-file.ts';
import { findProgram } from './installed.ts';
import { type Place, type Recipe, serve } from './serve.ts';
import type { DavServer } from './server.ts';

export interface NginxOptions {
  /** True: a PUT or MOVE makes the folders that are missing. */
  makesFolders?: boolean;
  /** The largest body, in bytes, that it takes; above it 413. */
  bodyLimit?: number;
  /** True: it answers 405 to MOVE. */
  withoutMove?: boolean;
}

const METHODS = 'dav_methods PUT DELETE MKCOL COPY MOVE;';
const LIMIT = 'client_max_body_size 0;';

/** Starts nginx with the settings that the documentation shows, `config/nginx-lfs.conf`. */
export function startNginx({ makesFolders, bodyLimit, withoutMove }: NginxOptions = {}): Promise<DavServer> {
  const changes: Change[] = [];
  if (makesFolders) changes.push([METHODS, `${METHODS} create_full_put_path on;`]);
  if (withoutMove) changes.push([METHODS, METHODS.replace(' MOVE', '')]);
  if (bodyLimit !== undefined) changes.push([LIMIT, `client_max_body_size ${bodyLimit};`]);
  return serve('nginx', 1, (place) => {
    const passwords = writeConfig(place.folder, 'users.htpasswd', {});
    writeConfig(place.folder, 'nginx-lfs.conf', { PARENT: dirname(place.root), PASSWORDS: passwords }, changes);
    return recipe(place, 'nginx-lfs.conf', '/lfs');
  });
}

/**
 * Starts nginx as a reverse proxy for `server`, with its default limit of 1 MB for a body, or another one in bytes. Its
 * `url` is the same folder as the server's, which has to be stopped by itself.
 */
export async function startNginxProxy(server: DavServer, bodyLimit = 1024 * 1024): Promise<DavServer> {
  const { origin, pathname } = new URL(server.url);
  const proxy = await serve(
    'nginx-proxy',
    1,
    (place) => {
      writeConfig(place.folder, 'nginx-proxy.conf', { TARGET: origin, BODY_LIMIT: String(bodyLimit) });
      return recipe(place, 'nginx-proxy.conf', pathname.replace(/\/$/, ''));
    },
    server.root,
  );
  return { ...proxy, root: server.root, adopt: server.adopt };
}

function recipe({ folder, ports }: Place, site: string, path: string): Recipe {
  const config = writeConfig(folder, 'nginx.conf', {
    DIR: folder,
    MODULES: '/usr/lib/nginx/modules',
    USER: process.getuid?.() === 0 ? 'user root;' : '',
    PORT: String(ports[0]),
    SITE: site,
  });
  return {
    url: `http://127.0.0.1:${ports[0]}${path}`,
    command: findProgram('nginx') ?? 'nginx',
    args: ['-e', `${folder}/error.log`, '-c', config],
  };
}

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificates, makeCertificates } from './certificates.ts';
import { type Change, writeConfig } from './config-file.ts';
import { findProgram } from './installed.ts';
import { webOwner } from './owner.ts';
import { type Place, serve } from './serve.ts';
import type { DavServer } from './server.ts';

export interface ApacheOptions {
  /** True: `url` asks for no password. */
  anonymous?: boolean;
  /** The largest body, in bytes, that `url` takes; above it 413. */
  bodyLimit?: number;
  /** True: the settings are those for a server behind another one that does the TLS. */
  behindTls?: boolean;
}

/** The same folder at more URLs. */
export interface ApacheServer extends DavServer {
  /** Digest in place of Basic, with the same user and password. */
  readonly digestUrl: string;
  /** Basic, with a certificate that `certificates.ca` signed. */
  readonly tlsUrl: string;
  /** Admits whoever has `certificates.client`, without a password, and nobody else. */
  readonly clientTlsUrl: string;
  readonly certificates: Certificates;
}

/** Starts Apache with the settings that the documentation shows, `config/apache-lfs.conf`. */
export async function startApache(options: ApacheOptions = {}): Promise<ApacheServer> {
  let certificates: Certificates | undefined;
  const server = await serve('apache', 4, (place) => {
    certificates = makeCertificates(place.folder);
    return recipe(place, options);
  });
  const [, digest, tls, clientTls] = server.ports;
  return {
    ...server,
    digestUrl: `http://127.0.0.1:${digest}/lfs`,
    tlsUrl: `https://127.0.0.1:${tls}/lfs`,
    clientTlsUrl: `https://127.0.0.1:${clientTls}/lfs`,
    certificates: certificates!,
    async restart() {
      // It would not start while the one that was killed has not been reaped.
      rmSync(join(server.folder, 'httpd.pid'), { force: true });
      await server.restart();
    },
  };
}

function recipe({ folder, root, ports }: Place, { anonymous, bodyLimit, behindTls }: ApacheOptions) {
  const { user, group, adopt } = webOwner();
  const passwords = writeConfig(folder, 'users.htpasswd', {});
  writeConfig(folder, 'users.htdigest', {});
  const changes: Change[] = [];
  if (bodyLimit !== undefined) changes.push(['LimitRequestBody 0', `LimitRequestBody ${bodyLimit}`]);
  if (behindTls) changes.push(['#RequestHeader', 'RequestHeader']);
  writeConfig(folder, 'apache-lfs.conf', { FOLDER: root, LOCKS: folder, PASSWORDS: passwords }, changes);
  const [BASIC, DIGEST, TLS, CLIENT_TLS] = ports.map(String) as [string, string, string, string];
  const config = writeConfig(folder, 'apache.conf', {
    DIR: folder,
    USER: user,
    GROUP: group,
    MODULES: '/usr/lib/apache2/modules',
    BASIC,
    DIGEST,
    TLS,
    CLIENT_TLS,
    BASIC_EXTRA: anonymous ? '  <Location /lfs>\n    Require all granted\n  </Location>' : '',
  });
  return {
    url: `http://127.0.0.1:${BASIC}/lfs`,
    adopt,
    command: findProgram('apache2') ?? 'apache2',
    args: ['-f', config, '-DFOREGROUND'],
  };
}

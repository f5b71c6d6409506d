// A fake server with TLS: all that it says is to go elsewhere, for which a real one would need settings of its own.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificates } from '../servers/certificates.ts';

export interface RedirectingServer {
  /** https:, without a path. */
  readonly origin: string;
  /** The method and path of all that came, and its Authorization. */
  readonly requests: { asked: string; authorization: string | undefined }[];
  stop(): Promise<void>;
}

/** Starts one that answers every request with 307 and the same path at another origin. */
export async function startRedirectingServer(target: string, { server }: Certificates): Promise<RedirectingServer> {
  const requests: RedirectingServer['requests'] = [];
  const files = { cert: readFileSync(server.cert), key: readFileSync(server.key) };
  const listening = createServer(files, ({ method, url, headers }, response) => {
    requests.push({ asked: `${method} ${url}`, authorization: headers.authorization });
    response.writeHead(307, { location: `${target}${url}`, 'content-length': '0' }).end();
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    origin: `https://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    requests,
    async stop() {
      const closed = once(listening, 'close');
      listening.close();
      listening.closeAllConnections();
      await closed;
    },
  };
}

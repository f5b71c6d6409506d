import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { WebOptions } from './options.ts';

/** The connections of one backend, kept open between requests. */
export interface Connections {
  agentFor(url: URL): HttpAgent;
  /** Also trusts the authorities that the system trusts. False where that was so already, or is not wanted. */
  trustSystem(): Promise<boolean>;
}

/** Two for each of git-lfs's eight workers, which may all be served by one process. */
const MAX_SOCKETS = 16;

/** Opens nothing yet. */
export function connections({ proxy, tls }: WebOptions): Connections {
  const base: AgentOptions = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: 'lifo' };
  if (proxy) {
    base.proxyEnv = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: proxy.except };
  }
  const { ca, cert, key, passphrase, verify } = tls;
  const given = { ca, cert, key, passphrase };
  const secure = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  let plain: HttpAgent | undefined;
  let encrypted: HttpsAgent | undefined;
  let system = false;

  return {
    agentFor: ({ protocol }) => {
      if (protocol === 'http:') {
        plain ??= new HttpAgent(base);
        return plain;
      }
      encrypted ??= new HttpsAgent({ ...base, ...secure, rejectUnauthorized: verify });
      return encrypted;
    },
    // Only once Node's own authorities were not enough: reading the system's takes 25 to 80 ms (measured).
    trustSystem: async () => {
      if (system || ca !== undefined || !verify) return false;
      system = true;
      const { getCACertificates } = await import('node:tls');
      secure.ca = [...getCACertificates('default'), ...getCACertificates('system')];
      encrypted = undefined;
      return true;
    },
  };
}

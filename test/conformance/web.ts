import type { WebOptions } from '../../backends/webdav/options.ts';

/**
 * Network settings for one user, with short pauses and no proxy.
 * @param ca the only authorities to trust, PEM.
 */
export function webFor(username: string, password: string, ca?: string[]): WebOptions {
  return {
    credentials: {
      find: async () => ({ kind: 'password', username, password }),
      accepted: async () => {},
      refused: async () => {},
    },
    headers: [],
    proxy: undefined,
    tls: { verify: true, ca, cert: undefined, key: undefined, passphrase: undefined },
    timeouts: { connect: 5000, idle: 10_000, answer: 30_000 },
    retries: { count: 3, pause: 20 },
  };
}

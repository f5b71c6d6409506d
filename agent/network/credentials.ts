import type { Credentials } from '../../backends/webdav/options.ts';
import { type CredentialOptions, type Filled, fillCredential, type Place, tellGit } from './git-credential.ts';

/**
 * User name and password, or token, for a URL, from git's own credential helpers. They are asked once, when a server asks
 * first, and never prompt; what they gave is given back to them when the server took or refused it. A refused one
 * is not tried again.
 */
export function credentialsFor(url: string, options: CredentialOptions): Credentials {
  let finding: Promise<Filled | undefined> | undefined;
  const tell = async (verdict: 'approve' | 'reject'): Promise<void> => {
    const filled = await finding;
    if (filled) await tellGit(verdict, filled.description, options);
  };
  return {
    find: async (challenges) => {
      finding ??= fillCredential(placeOf(url), { ...options, challenges });
      return (await finding)?.credential;
    },
    accepted: () => tell('approve'),
    refused: async () => {
      await tell('reject');
      finding = Promise.resolve(undefined);
    },
  };
}

/** The path goes to git with its escapes resolved, as git does with a URL. */
export function placeOf(url: string): Place {
  const { protocol, host, pathname } = new URL(url);
  return { protocol: protocol.slice(0, -1), host, path: decoded(pathname.replace(/^\/+|\/+$/g, '')) || undefined };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

import { DepotError, printable } from '../../backends/errors.ts';
import { placeOf } from '../network/credentials.ts';
import { type CredentialOptions, fillCredential, tellGit } from '../network/git-credential.ts';
import { webPlaces } from './web-places.ts';

/** More accounts on one server than this are a helper that makes them up. */
const MOST_ACCOUNTS = 20;

/** Lets git's credential helpers forget all that they know for a WebDAV location, and looks whether they did. */
export async function logout(typed: string | undefined, print: (line: string) => void): Promise<void> {
  const { urls } = await webPlaces(typed);
  const options: CredentialOptions = { cwd: process.cwd(), env: process.env, note: () => {} };
  for (const url of urls) {
    const forgotten = new Set<string>();
    for (;;) {
      const known = await fillCredential(placeOf(url), options);
      if (!known) break;
      const { credential, description } = known;
      const name = credential.kind === 'password' ? `'${printable(credential.username)}'` : 'a token';
      if (forgotten.has(name) || forgotten.size >= MOST_ACCOUNTS) throw cannotForget(url, name);
      await tellGit('reject', description, options);
      forgotten.add(name);
    }
    const names = [...forgotten].join(', ');
    // Unless credential.useHttpPath is set, git keeps one for a whole server.
    print(names === '' ? `Git knows no password for ${url}: nothing to forget.` : `Forgotten for ${url}: ${names}`);
  }
}

function cannotForget(url: string, name: string): DepotError {
  return new DepotError('denied', {
    what: `cannot log out of ${url}`,
    why: `git still has ${name}, from a credential helper that does not forget`,
    cure: 'remove it there by hand; to see which there are: git config --show-origin --get-regexp "^credential"',
  });
}

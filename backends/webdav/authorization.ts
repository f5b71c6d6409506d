import { type Challenge, digestHeader, isDigest, parseChallenges } from './digest.ts';
import type { Credential, WebOptions } from './options.ts';

/** Who we say we are to one server, and whether it believed it. */
export interface Authorization {
  /** The header for the next request; undefined as long as the server has not asked. */
  headerFor(method: string, url: URL): string | undefined;
  /**
   * Takes in a 401. `again`: a request with a new header may succeed. Credentials are asked for once; what the server has
   * refused is never sent again, since servers lock people out.
   * @param sent the header that the refused request had.
   */
  refusedWith(sent: string | undefined, challenges: readonly string[]): Promise<'again' | Verdict>;
  /** Takes in that the server let a request with this header in. */
  acceptedWith(sent: string | undefined): void;
  /** What is known to be in the way, before a request is sent. */
  readonly verdict: Verdict | undefined;
}

/**
 * `unknown`: there is no password for this place; `refused`: it is wrong; `header`: the user's own header is;
 * `impossible`: a way to log in that is not known here.
 */
export type Verdict = 'unknown' | 'refused' | 'header' | 'impossible';

export function authorization({ credentials, headers }: WebOptions): Authorization {
  const own = headers.some(([name]) => name.toLowerCase() === 'authorization');
  let asked: Promise<Credential | undefined> | undefined;
  let credential: Credential | undefined;
  let digest: { challenge: Challenge; count: number } | undefined;
  let ready = false;
  let worked = false;
  let verdict: Verdict | undefined;
  /** Refusals in a row. */
  let refusals = 0;

  const nonceIn = (header: string | undefined): string | undefined => /\bnonce="([^"]*)"/.exec(header ?? '')?.[1];

  async function refusedWith(sent: string | undefined, given: readonly string[]): Promise<'again' | Verdict> {
    if (own) return settle('header');
    const challenges = parseChallenges(given);
    const best = challenges.find(isDigest);
    const usable = best !== undefined || challenges.some(({ scheme }) => scheme === 'basic' || scheme === 'bearer');
    asked ??= credentials.find(given);
    credential = await asked;
    if (verdict) return verdict;
    if (!credential) return settle('unknown');
    if (credential.kind === 'password' && !usable && challenges.length > 0) return settle('impossible');

    const first = !ready;
    ready = true;
    // Whatever it was sent with is out of date: another request has learned more since.
    if (first || sent === undefined) return adopt(best);
    if (best && digest && nonceIn(sent) !== digest.challenge.parameters.nonce) return 'again';
    const stale = best?.parameters.stale?.toLowerCase() === 'true';
    if (stale && refusals < 3) {
      refusals++;
      return adopt(best);
    }
    // Who was let in before is asked once more: the nonce may have run out unsaid, or a proxy have had a bad moment.
    if (worked && refusals === 0) {
      refusals++;
      return adopt(best);
    }
    settle('refused');
    await credentials.refused(credential);
    return 'refused';
  }

  function settle(found: Verdict): Verdict {
    verdict = found;
    return found;
  }

  function adopt(challenge: Challenge | undefined): 'again' {
    if (!challenge) digest = undefined;
    else if (digest?.challenge.parameters.nonce !== challenge.parameters.nonce) digest = { challenge, count: 0 };
    return 'again';
  }

  return {
    refusedWith,
    headerFor: (method, url) => {
      if (own || !ready || !credential || verdict) return undefined;
      if (credential.kind === 'token') return `${credential.scheme} ${credential.token}`;
      if (!digest) {
        return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
      }
      digest.count++;
      const uri = url.pathname + url.search;
      const header = digestHeader(digest.challenge, credential, { method, uri, count: digest.count });
      // Node takes one character for one byte: so it sends UTF-8.
      return Buffer.from(header, 'utf8').toString('latin1');
    },
    acceptedWith: (sent) => {
      refusals = 0;
      if (sent === undefined || worked || !credential) return;
      worked = true;
      void credentials.accepted(credential);
    },
    get verdict() {
      return verdict;
    },
  };
}

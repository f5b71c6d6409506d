import { createHash, randomBytes } from 'node:crypto';

/**
 * HTTP Digest access authentication, RFC 7616, quality of protection `auth` or none (RFC 2069). Own code, because the
 * packages at hand split passwords at a colon, or refuse a challenge with a parameter that they do not know.
 */
export interface Challenge {
  scheme: string;
  parameters: Record<string, string>;
}

const HASHES: Record<string, string> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };

/** Whether a challenge can be answered by `digestHeader`. */
export function isDigest({ scheme, parameters }: Challenge): boolean {
  const qop = parameters.qop?.split(',').map((word) => word.trim().toLowerCase());
  return scheme === 'digest' && hashOf(parameters) !== undefined && (qop === undefined || qop.includes('auth'));
}

/**
 * The value of `Authorization`.
 * @param count how many requests the challenge's nonce has served, this one included.
 * @param uri the path and query of the request.
 */
export function digestHeader(
  challenge: Challenge,
  user: { username: string; password: string },
  request: { method: string; uri: string; count: number; cnonce?: string },
): string {
  const { realm = '', nonce = '', opaque, algorithm, qop } = challenge.parameters;
  const hash = (text: string): string =>
    createHash(hashOf(challenge.parameters) ?? 'md5')
      .update(text)
      .digest('hex');
  const cnonce = request.cnonce ?? randomBytes(12).toString('hex');
  const nc = request.count.toString(16).padStart(8, '0');
  const session = algorithm?.toLowerCase().endsWith('-sess');
  const secret = hash(`${user.username}:${realm}:${user.password}`);
  const first = session ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const second = hash(`${request.method}:${request.uri}`);
  const response = hash(qop ? `${first}:${nonce}:${nc}:${cnonce}:auth:${second}` : `${first}:${nonce}:${second}`);
  const parts = [
    `username=${quoted(user.username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(request.uri)}`,
    `response="${response}"`,
  ];
  if (algorithm) parts.push(`algorithm=${algorithm}`);
  if (opaque !== undefined) parts.push(`opaque=${quoted(opaque)}`);
  // nc and qop are tokens, not strings: some servers refuse them in quotes.
  if (qop) parts.push('qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`);
  return `Digest ${parts.join(', ')}`;
}

/**
 * The challenges in `WWW-Authenticate` headers, several of which may stand in one (RFC 9110 §11.6.1). Parameters' names are
 * in lower case.
 */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  const found: Challenge[] = [];
  for (const header of headers) {
    const words = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*)))?/g;
    for (const [whole, name = '', string, token] of header.matchAll(words)) {
      if (!whole.includes('=')) found.push({ scheme: name.toLowerCase(), parameters: {} });
      else {
        const parameters = found.at(-1)?.parameters;
        if (parameters) parameters[name.toLowerCase()] ??= string?.replace(/\\(.)/g, '$1') ?? token ?? '';
      }
    }
  }
  return found;
}

function hashOf({ algorithm = 'MD5' }: Record<string, string>): string | undefined {
  return HASHES[algorithm.toUpperCase().replace(/-SESS$/, '')];
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

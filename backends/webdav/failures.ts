import { DepotError, type Kind } from '../errors.ts';
import { exhaust } from '../exhausted.ts';
import { errorCode, systemWords } from '../system-error.ts';
import type { Verdict } from './authorization.ts';
import { type Answer, BrokenExchange, discard, textOf } from './exchange.ts';

/**
 * What an answer that nobody wanted means, and what its reader can do about it. Takes the body in for what it may explain.
 * @param what what was tried, as in DepotError.
 */
export async function failureOf(answer: Answer, what: string, login: string): Promise<DepotError> {
  const { status, headers } = answer;
  const said = explanationIn(await textOf(answer, 64 * 1024), headers['content-type'] ?? '');
  const server = headers.server ? ` by ${headers.server}` : '';
  const why = `the server said ${status}${words(status)}${server}${said && `: ${said}`}`;
  const { kind, cure, temporary } = meaningOf(status, login);
  const failure = new DepotError(kind, { what, why, cure, temporary });
  return answer.exhausted ? exhaust(failure) : failure;
}

interface Meaning {
  kind: Kind;
  cure: string;
  temporary: boolean;
}

function meaningOf(status: number, login: string): Meaning {
  const known = MEANINGS[status];
  if (known) return { ...known, cure: known.cure.replace('<login>', login), temporary: known.temporary ?? false };
  if (status >= 500) return { kind: 'unreachable', cure: LATER, temporary: true };
  if (status >= 300 && status < 400) return { kind: 'configuration', cure: MOVED, temporary: false };
  const cure = 'ask whoever runs the server what it means; `lfs-depot doctor` tries the store step by step';
  return { kind: 'unreachable', cure, temporary: false };
}

const LATER = 'try again later; if it stays so, whoever runs the server finds the reason in its log';
const MOVED = 'open the location in a browser to see where it leads, and use that address';
const NOT_DAV =
  'this address may not be a WebDAV folder: for Nextcloud it looks like https://HOST/remote.php/dav/files/USER/FOLDER, ' +
  'for others ask whoever runs the server';

/** RFC 9110, RFC 4918 §11, and what servers were seen to do with them. */
const MEANINGS: Record<number, Omit<Meaning, 'temporary'> & { temporary?: true }> = {
  401: { kind: 'credentials', cure: '<login>' },
  403: {
    kind: 'denied',
    cure: 'you may not do that there: ask whoever runs the server for the right to write, or log in as somebody else: <login>',
  },
  404: { kind: 'no-store', cure: `check the address; its last folder must exist. ${NOT_DAV}` },
  405: { kind: 'unsupported', cure: NOT_DAV },
  407: {
    kind: 'credentials',
    cure: 'the proxy wants a user name and a password: git config --global http.proxy http://USER:PASSWORD@PROXY:PORT',
  },
  408: { kind: 'unreachable', cure: LATER, temporary: true },
  409: { kind: 'conflict', cure: 'a folder is missing there, or something else stands in its place: look at it' },
  411: {
    kind: 'unsupported',
    cure: 'a proxy in between has dropped the Content-Length header, which lfs-depot always sends: mend or avoid it',
  },
  413: {
    kind: 'no-space',
    cure:
      'the server refuses bodies of this size; whoever runs it raises: client_max_body_size in nginx (0 for no limit), ' +
      'LimitRequestBody in Apache (0), maxAllowedContentLength and maxRequestEntityAllowed in IIS, upload limits in Cloudflare',
  },
  415: { kind: 'unsupported', cure: NOT_DAV },
  423: {
    kind: 'conflict',
    cure: 'somebody else, or the server itself, holds a lock on it: try again later',
    temporary: true,
  },
  425: { kind: 'unreachable', cure: LATER, temporary: true },
  429: { kind: 'unreachable', cure: 'the server has had too many requests: wait a few minutes', temporary: true },
  501: { kind: 'unsupported', cure: NOT_DAV },
  507: { kind: 'no-space', cure: 'the disk or your quota there is full: free some space, then push again' },
};

/** A page for people where bytes of ours, or a WebDAV answer, should be: a portal or a login page sits in between. */
export async function htmlInstead(answer: Answer, what: string): Promise<DepotError> {
  const title = titleOf(await textOf(answer, 64 * 1024));
  const why = `the server answered with a web page${title && ` ("${title}")`} and not with the file`;
  const cure = `a login page or a portal stands in between: log in to it with a browser, or check the address. ${NOT_DAV}`;
  return new DepotError('credentials', { what, why, cure });
}

export function isHtml({ headers }: Answer): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(headers['content-type'] ?? '');
}

/** That the server wants to know who asks, and cannot be told. */
export async function notLetIn(answer: Answer | undefined, verdict: Verdict, what: string, login: string) {
  const realm = /\brealm="([^"]{1,80})"/i.exec([answer?.headers['www-authenticate']].flat().join(' '))?.[1];
  if (answer) await discard(answer);
  const whys: Record<Verdict, string> = {
    unknown: `the server${realm ? ` ("${realm}")` : ''} asks who you are, and git keeps no password for it`,
    refused: 'the server does not accept the user name and password, or the token, that it was given (401)',
    header: 'the server does not accept the Authorization of http.extraHeader (401)',
    impossible: 'the server asks for a way to log in that lfs-depot does not have (it has Basic, Digest and Bearer)',
  };
  const cures: Record<Verdict, string> = {
    unknown: login,
    refused: `${login}\nit was not tried again, since servers lock people out; where two-factor login is on, make an app password`,
    header:
      'put the right one there, or remove it and log in; to see where it is set:\n' +
      'git config --show-origin --get-regexp "^http\\..*extraheader$"',
    impossible: 'ask whoever runs the server for an app password, or for Basic or Digest login over https',
  };
  return new DepotError('credentials', { what, why: whys[verdict], cure: cures[verdict] });
}

/**
 * What went wrong with a connection: names, certificates, wires.
 * @param proxy the host of the proxy that it may have gone by: then that may be what does not answer.
 */
export function fromNetwork(error: unknown, what: string, host: string, proxy?: string): DepotError {
  const code = errorCode(error) ?? '';
  const why = wordsOf(error);
  if (code === 'ERR_PROXY_TUNNEL' && / 407 /.test(why)) {
    return new DepotError('credentials', { what, why, cure: MEANINGS[407]?.cure ?? '', cause: error });
  }
  if (code.startsWith('ERR_OSSL_')) {
    const cure = 'http.sslCert and http.sslKey have to belong together: name the key of that very certificate';
    return new DepotError('configuration', { what, why, cure, cause: error });
  }
  const certificate =
    CERTIFICATES[code] ?? (/^(CERT_|ERR_TLS_CERT|UNABLE_TO_)/.test(code) ? OTHER_CERTIFICATE : undefined);
  if (certificate) {
    return new DepotError('unreachable', { what, why, cure: certificate.replace('<host>', host), cause: error });
  }
  const known = proxy !== undefined && isAbout(error, proxy) ? NO_PROXY.replace('<proxy>', proxy) : NETWORK[code];
  const encryption = /^(EPROTO|ERR_SSL_|ERR_TLS_)/.test(code);
  return new DepotError('unreachable', {
    what,
    why,
    cure: (known ?? tlsCure(code) ?? 'check the network, then try again').replace('<host>', host),
    // Whatever is the same in a minute: a name that does not exist, a port that speaks no TLS, a proxy that refuses.
    temporary: !encryption && code !== 'ENOTFOUND' && !code.startsWith('ERR_'),
    cause: error,
  });
}

/** What Node itself said. Of a name with several addresses it tries them all, and says nothing but why each failed. */
function causesOf(error: unknown): unknown[] {
  const cause = error instanceof BrokenExchange ? error.cause : error;
  return cause instanceof AggregateError ? cause.errors : [cause];
}

/** Without what OpenSSL and Node tell their programmers. */
function wordsOf(error: unknown): string {
  return causesOf(error)
    .map(systemWords)
    .join(', ')
    .replace(/^.*:(?:SSL|x509 certificate) routines:[^:]*:([^:]+).*?( \(\w+\))?$/s, '$1$2')
    .replace(/; if the root CA is installed locally, try running Node\.js with --use-system-ca/, '');
}

/** Whether a name that was not found, or an address to which no connection could be made, is that of this host. */
function isAbout(error: unknown, host: string): boolean {
  const { hostname, port } = (causesOf(error)[0] ?? {}) as { hostname?: string; port?: number };
  if (hostname !== undefined) return host === hostname || host.startsWith(`${hostname}:`);
  return port !== undefined && host.endsWith(`:${port}`);
}

function tlsCure(code: string): string | undefined {
  if (/^ERR_SSL_.*ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA)$/.test(code))
    return WANTS_CERTIFICATE;
  return /^(EPROTO|ERR_SSL_|ERR_TLS_)/.test(code) ? NO_TLS : undefined;
}

/** Not trusted by anybody we know: worth a look at the system's own authorities. */
export function isUnknownAuthority(error: unknown): boolean {
  return CERTIFICATES[errorCode(error) ?? ''] === UNTRUSTED;
}

const UNTRUSTED =
  'its certificate is signed by an authority that this computer does not know. If it is your own, tell git about it:\n' +
  'git config --global http.https://<host>/.sslCAInfo /path/to/ca.pem';
const OTHER_CERTIFICATE = 'whoever runs <host> has to mend its certificate';
const CERTIFICATES: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_HAS_EXPIRED:
    "its certificate has run out: whoever runs <host> has to renew it; check this computer's clock, too",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: check this computer's clock",
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate belongs to another name: check the address of <host>',
};
const WANTS_CERTIFICATE =
  'the server wants another client certificate, or one at all:\n' +
  'git config --global http.https://<host>/.sslCert /path/to/cert.pem, and the same with .sslKey';
const NO_PROXY =
  'the proxy <proxy> does not answer: git config --get-all http.proxy, and the variables HTTPS_PROXY and NO_PROXY';
const NO_TLS =
  'no encrypted connection could be made: is it https at that port, or a client certificate missing (http.sslCert)?';

const NETWORK: Record<string, string> = {
  ENOTFOUND: 'no such name: check the address, the network, and whether a VPN is needed for <host>',
  EAI_AGAIN: 'the name could not be looked up: check the network',
  ECONNREFUSED: 'nothing listens there: is <host> running, and is the port right?',
  ETIMEDOUT: 'check the network, a VPN or a proxy (http.proxy), and whether <host> is up',
  EHOSTUNREACH: 'check the network and the VPN',
  ENETUNREACH: 'check the network',
  ECONNRESET: 'the connection broke off: check the network, then try again',
  EPIPE: 'the connection broke off: check the network, then try again',
  ERR_PROXY_TUNNEL:
    'the proxy did not let it through: git config --get-all http.proxy, and the variables HTTPS_PROXY and NO_PROXY',
};

/** What a server says of its failure: the sentence in an XML error (sabre, Nextcloud), a page's title, or short text. */
function explanationIn(body: string, type: string): string {
  const message = /<s:message>([^<]+)<\/s:message>/i.exec(body)?.[1] ?? titleOf(body);
  const plain = /^text\/plain/i.test(type) ? body : '';
  return (message || plain).replace(/\s+/g, ' ').trim().slice(0, 200);
}

function titleOf(html: string): string {
  return (/<title>([^<]*)<\/title>/i.exec(html)?.[1] ?? '').replace(/\s+/g, ' ').trim().slice(0, 100);
}

function words(status: number): string {
  const name = NAMES[status];
  return name ? ` (${name})` : '';
}

const NAMES: Record<number, string> = {
  400: 'bad request',
  401: 'not logged in',
  403: 'forbidden',
  404: 'not found',
  405: 'method not allowed',
  407: 'the proxy wants a login',
  408: 'request timeout',
  409: 'conflict',
  411: 'length required',
  413: 'body too large',
  423: 'locked',
  425: 'too early',
  429: 'too many requests',
  500: 'internal error',
  501: 'not implemented',
  502: 'bad gateway',
  503: 'unavailable',
  504: 'gateway timeout',
  507: 'storage full',
};

import { DECEPTIVE, DepotError } from './errors.ts';

/**
 * A location is the text that names a store. This file turns its many spellings into one, on any platform: the platform
 * is a parameter, so that one committed `.lfsconfig` means the same on all of them.
 */
export type Location =
  | { kind: 'folder'; path: string } // absolute, forward slashes: /srv/lfs, D:/lfs, / , D:/
  | { kind: 'share'; server: string; path: string } // a Windows network share; path is "share/dir", '' for a server
  | { kind: 'webdav'; url: string }; // http(s) URL without a trailing slash

export interface Surroundings {
  platform: NodeJS.Platform;
  /** The home folder, for `~`. */
  home: string;
}

/**
 * Reads a location in any spelling that the README lists, and `smb:`, `dav:`, `webdav:` and `\\?\` forms of them.
 * @throws DepotError `configuration` for text that names no absolute location, with the cure.
 */
export function parseLocation(text: string, around: Surroundings): Location {
  const given = text.startsWith('depot::') ? text.slice('depot::'.length) : text;
  const refuse = (why: string, cure: string): DepotError =>
    new DepotError('configuration', { what: `cannot use '${withoutSecrets(given)}' as a location`, why, cure });
  if (given === '') throw refuse('it is empty', EXAMPLES);
  if (given.search(DECEPTIVE) >= 0) throw refuse('it holds a control character', EXAMPLES);

  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(given)?.[1]?.toLowerCase();
  if (scheme === 'file') return fromFileUrl(given, refuse);
  if (scheme === 'smb') return fromUnc(decode(given.slice('smb:'.length), refuse), refuse);
  if (scheme && WEBDAV[scheme]) return fromWebUrl(given, WEBDAV[scheme], refuse);
  if (scheme) throw refuse(`'${scheme}:' is not a kind of storage that lfs-depot knows`, EXAMPLES);

  if (/^[\\/]{2}[?.][\\/]/.test(given)) return fromDevicePath(given, refuse);
  if (/^(\\[\\/]|\/\/)/.test(given)) return fromUnc(given, refuse);
  if (/^[a-z]:/i.test(given)) return fromDrive(given, refuse);
  if (given === '~' || given.startsWith('~/') || (around.platform === 'win32' && given.startsWith('~\\'))) {
    const home = around.home.replace(/[\\/]+$/, '');
    return parseLocation(`${home}/${given.slice(2)}`, around);
  }
  if (given.startsWith('/')) return { kind: 'folder', path: tidy(given) };
  if (/^\\[^\\]/.test(given)) {
    throw refuse(
      'it is not an absolute path',
      'Git Bash takes backslashes away: write a share like //server/share/lfs',
    );
  }
  throw refuse('it is not an absolute path', EXAMPLES);
}

/**
 * The text for `lfs.url`. git-lfs reads it as a URL: a `#` starts a fragment, and what follows must then be escaped rightly
 * (seen with 3.3.0: `missing protocol: "<unknown>"`). Such a path goes in escaped, as a file: URL.
 */
export function lfsUrl(location: Location): string {
  const name = formatLocation(location);
  if (location.kind === 'webdav' || !/[#%]/.test(name)) return `depot::${name}`;
  const path = name.split('/').map(encodeURIComponent).join('/');
  const prefix = location.kind === 'share' ? 'file:' : /^[A-Z]:/.test(name) ? 'file:///' : 'file://';
  return `depot::${prefix}${path.replace(/^([A-Z])%3A/, '$1:')}`;
}

/** The one spelling of a location that is shown to people and compared. */
export function formatLocation(location: Location): string {
  switch (location.kind) {
    case 'folder':
      return location.path;
    case 'share':
      return `//${location.server}${location.path && `/${location.path}`}`;
    case 'webdav':
      return location.url;
  }
}

/** A location or URL for a message: what may be a user name and a password in it is left out. */
export function withoutSecrets(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:)?([\\/]{2}).*@/is, '$1$2…@').replace(/^[^\\/]*@/, '…@');
}

/**
 * Whether `location` is `prefix` or lies below it, by whole path segments, compared as the platform compares names:
 * shares without regard to case everywhere, folders so on Windows and macOS.
 */
export function covers(prefix: Location, location: Location, platform: NodeJS.Platform): boolean {
  const outer = segments(prefix, platform);
  const inner = segments(location, platform);
  return outer.length <= inner.length && outer.every((segment, index) => segment === inner[index]);
}

/** One text for all spellings of a location that the platform takes for one. */
export function locationKey(location: Location, platform: NodeJS.Platform): string {
  return segments(location, platform).join('/');
}

function segments(location: Location, platform: NodeJS.Platform): string[] {
  const fold = (text: string) => text.normalize('NFC').toLowerCase();
  switch (location.kind) {
    case 'folder': {
      const path = platform === 'win32' || platform === 'darwin' ? fold(location.path) : location.path;
      return ['folder', ...path.split('/').filter((part) => part !== '')];
    }
    case 'share':
      return ['share', fold(location.server), ...(location.path ? fold(location.path).split('/') : [])];
    case 'webdav': {
      const url = new URL(location.url);
      return [url.protocol, url.host, ...url.pathname.split('/').filter((part) => part !== '')];
    }
  }
}

const EXAMPLES = 'write it like /srv/lfs, D:/lfs, //server/share/lfs or https://server/folder';
const WEBDAV: Record<string, string> = {
  http: 'http:',
  https: 'https:',
  dav: 'http:',
  davs: 'https:',
  webdav: 'http:',
  webdavs: 'https:',
};

type Refuse = (why: string, cure: string) => DepotError;

/** RFC 8089 and its appendix E: file:/p, file:///p, file://localhost/p, file://server/share, file:////server/share. */
function fromFileUrl(given: string, refuse: Refuse): Location {
  const rest = decode(given.slice('file:'.length).replaceAll('\\', '/'), refuse);
  const [, slashes = '', body = ''] = /^(\/*)(.*)$/.exec(rest) ?? [];
  if (slashes.length === 0) throw refuse('a file: location needs an absolute path', 'write file:///srv/lfs');
  if (slashes.length >= 4) return fromUnc(`//${body}`, refuse);
  if (slashes.length === 2) {
    const [host = '', ...path] = body.split('/');
    if (/^[a-z]:?$/i.test(host) && host.endsWith(':')) return fromDrive(body, refuse);
    if (host.toLowerCase() !== 'localhost') return fromUnc(`//${body}`, refuse);
    return fromLocalUrlPath(path.join('/'), refuse);
  }
  return fromLocalUrlPath(body, refuse);
}

function fromLocalUrlPath(body: string, refuse: Refuse): Location {
  if (/^[a-z]:/i.test(body)) return fromDrive(body, refuse);
  return { kind: 'folder', path: tidy(`/${body}`) };
}

function fromDevicePath(given: string, refuse: Refuse): Location {
  const path = given.slice(4);
  if (/^unc[\\/]/i.test(path)) return fromUnc(`//${path.slice(4)}`, refuse);
  if (/^[a-z]:[\\/]/i.test(path)) return fromDrive(path, refuse);
  throw refuse('it names a device', EXAMPLES);
}

const FORBIDDEN_ON_WINDOWS = /[:*?"<>|]/;

/**
 * Names that Windows gives another meaning (devices), or that its programs cannot open (a dot or a blank at the end).
 * See "Naming Files, Paths, and Namespaces" of the Win32 documentation.
 */
const UNUSABLE_ON_WINDOWS = /^(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\.|$)|[. ]$/i;

function refuseUnusable(path: string, refuse: Refuse): void {
  const name = path.split('/').find((segment) => UNUSABLE_ON_WINDOWS.test(segment));
  if (name !== undefined) throw refuse(`Windows cannot use the name '${name}'`, 'write it with another name');
}

function fromDrive(given: string, refuse: Refuse): Location {
  const path = given.replaceAll('\\', '/');
  if (!/^[a-z]:\//i.test(path)) {
    throw refuse('it depends on the current folder of a drive', 'put a slash behind the colon: D:/lfs');
  }
  if (FORBIDDEN_ON_WINDOWS.test(path.slice(2)))
    throw refuse('it holds a character that Windows does not allow', EXAMPLES);
  const rest = tidy(path.slice(2));
  refuseUnusable(rest, refuse);
  return { kind: 'folder', path: path.slice(0, 2).toUpperCase() + rest };
}

function fromUnc(given: string, refuse: Refuse): Location {
  const [, host = '', share = '', rest = ''] = /^\/\/+([^/]*)\/*([^/]*)(.*)$/s.exec(given.replaceAll('\\', '/')) ?? [];
  // What is compared must be what is opened: a Kelvin sign folds to a `k`, and NFC makes it one.
  const server = host.normalize('NFC');
  if (!/^[^\s:*?"<>|@\p{Cf}]+$/u.test(server) || /^\.+$/.test(server) || /^\.+$/.test(share))
    throw refuse('it names no server', 'write it like //server/share/lfs');
  if (FORBIDDEN_ON_WINDOWS.test(share + rest))
    throw refuse('it holds a character that Windows does not allow', EXAMPLES);
  // `..` never leads out of a share.
  const path = share === '' ? '' : (share + tidy(rest)).replace(/\/$/, '');
  refuseUnusable(path, refuse);
  return { kind: 'share', server, path };
}

function fromWebUrl(given: string, protocol: string, refuse: Refuse): Location {
  let url: URL;
  try {
    url = new URL(given.replace(/^[^:]+:/, protocol));
  } catch {
    throw refuse('it is not a URL', 'write it like https://dav.example.com/lfs/art');
  }
  if (url.username || url.password) {
    throw new DepotError('configuration', {
      what: `cannot use ${url.protocol}//…@${url.host}${url.pathname} as a location`,
      why: 'it holds a user name or a password, which everybody who clones would read',
      cure: `write the location without them; git keeps them for you: lfs-depot login ${url.origin}${url.pathname}`,
    });
  }
  if (/%(2f|5c)/i.test(url.pathname)) throw refuse('it holds an escaped slash', 'write only plain folder names');
  if (url.search || url.hash) throw refuse("it holds a '?' or a '#'", 'write only the folder');
  return { kind: 'webdav', url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` };
}

function decode(text: string, refuse: Refuse): string {
  try {
    const decoded = decodeURIComponent(text);
    if (decoded.search(DECEPTIVE) >= 0) throw new Error('control character');
    return decoded;
  } catch {
    throw refuse("a '%' in it does not start a valid escape", 'write %25 for a percent sign in a URL');
  }
}

/** One leading slash, none at the end, `.`, `..` and empty segments resolved as a file system would. */
function tidy(path: string): string {
  const out: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') out.pop();
    else if (segment !== '' && segment !== '.') out.push(segment);
  }
  return `/${out.join('/')}`;
}

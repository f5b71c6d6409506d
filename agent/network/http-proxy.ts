import type { WebOptions } from '../../backends/webdav/options.ts';
import { type Given, givenBy, givenIn, refuse } from '../given.ts';
import { type CredentialOptions, fillCredential } from './git-credential.ts';
import type { UrlSettings } from './url-settings.ts';

/**
 * The proxy for a URL, as git and curl choose it: http.proxy, where an empty one means none; else the variables, where the
 * spelling in lower case goes first and `HTTP_PROXY` does not count, since a web server sets it from a request's header.
 * A user name without a password has its password from git's credential helpers, as with git.
 * @throws DepotError `configuration` for what is no HTTP proxy.
 */
export async function proxyFor(
  url: string,
  http: UrlSettings,
  options: CredentialOptions,
): Promise<WebOptions['proxy']> {
  const { env } = options;
  const ofScheme = url.startsWith('https:') ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy'];
  const names = [...ofScheme, 'all_proxy', 'ALL_PROXY'];
  const given = givenIn(http.get('proxy')) ?? names.map((name) => givenBy(env, name)).find((found) => found);
  if (!given || given.value === '') return undefined;
  const proxy = parse(given);
  if (proxy.username !== '' && proxy.password === '') await addPassword(proxy, options);
  return { url: proxy.href, except: env.no_proxy ?? env.NO_PROXY };
}

const EXAMPLE = 'write it like http://proxy.example.com:3128';

/** The value is never shown: it may hold a password. */
function parse(given: Given): URL {
  const text = given.value.includes('://') ? given.value : `http://${given.value}`;
  const scheme = text.slice(0, text.indexOf('://')).toLowerCase();
  if (scheme.startsWith('socks')) {
    throw refuse(given, `it names a ${scheme} proxy, and lfs-depot knows http and https ones only`, EXAMPLE);
  }
  if (scheme !== 'http' && scheme !== 'https') throw refuse(given, 'it is not the URL of an HTTP proxy', EXAMPLE);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse(given, 'it is not a URL', EXAMPLE);
  }
  // curl's own default for http proxies. `url.port` is empty for an explicit 80 too.
  const authority = text.slice(scheme.length + 3).replace(/[/?#].*$/s, '');
  if (scheme === 'http' && !/:\d+$/.test(authority)) url.port = '1080';
  Object.assign(url, { pathname: '', search: '', hash: '' });
  return url;
}

async function addPassword(proxy: URL, options: CredentialOptions): Promise<void> {
  const place = { protocol: proxy.protocol.slice(0, -1), host: proxy.host, username: decoded(proxy.username) };
  const credential = (await fillCredential(place, options))?.credential;
  if (credential?.kind === 'password') proxy.password = encodeURIComponent(credential.password);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

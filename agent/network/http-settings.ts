import type { Timeouts, WebOptions } from '../../backends/webdav/options.ts';
import type { Config } from '../config.ts';
import { givenIn, readInteger, refuse } from '../given.ts';
import { retriesFrom } from '../retry-settings.ts';
import { credentialsFor } from './credentials.ts';
import { proxyFor } from './http-proxy.ts';
import { tlsFor } from './http-tls.ts';
import { type UrlSettings, urlSettings } from './url-settings.ts';

/**
 * What git's configuration and the environment say of the network to a URL. Nobody is asked anything, and no server.
 *
 * - `http.*` and `http.<url>.*` as git has them (git-config(1)): proxy, sslVerify, sslCAInfo, sslCAPath, sslCert, sslKey,
 *   sslCertPasswordProtected, sslBackend, schannelUseSSLCAInfo, extraHeader; with them GIT_SSL_* and *_proxy.
 * - `lfs.dialtimeout`, `lfs.tlstimeout`, `lfs.activitytimeout`, `lfs.<url>.activitytimeout`: seconds, as git-lfs has them.
 * - `depot.retries` and the like: see `retriesFrom`.
 * @throws DepotError `configuration` for a value that cannot be used; `credentials` as `tlsFor`.
 */
export async function webOptionsFor(url: string, config: Config, env: NodeJS.ProcessEnv): Promise<WebOptions> {
  const http = urlSettings('http', url, config);
  const options = { cwd: process.cwd(), env };
  const proxy = await proxyFor(url, http, options);
  const encrypted = url.startsWith('https:') || proxy?.url.startsWith('https:');
  return {
    credentials: credentialsFor(url, options),
    headers: headersFrom(http),
    proxy,
    tls: encrypted ? await tlsFor(http, options) : PLAIN,
    timeouts: timeoutsFrom(config, urlSettings('lfs', url, config)),
    retries: retriesFrom(config),
  };
}

const PLAIN = { verify: true, ca: undefined, cert: undefined, key: undefined, passphrase: undefined };

/** http.extraHeader, in order; an empty one drops those before it. As curl: `Name;` for an empty value. */
function headersFrom(http: UrlSettings): [string, string][] {
  let headers: [string, string][] = [];
  for (const setting of http.all('extraheader')) {
    if (setting.value === '') {
      headers = [];
      continue;
    }
    const [, name, mark, value = ''] = /^([\w!#$%&'*+.^`|~-]+)\s*([:;])\s*(.*)$/s.exec(setting.value) ?? [];
    const given = { name: setting.key, value: '', from: 'config' } as const;
    // The value is not shown: it may be a password.
    if (name === undefined || /[\0-\x08\x0a-\x1f\x7f]/.test(value) || (mark === ';' && value !== '')) {
      throw refuse(given, 'a value of it is not of the form "Name: value"', 'write it like "X-Team: art"');
    }
    // curl: no value after the colon means no such header.
    if (mark === ':' && value.trim() === '') continue;
    // Its bytes, one a character: so Node sends what git would.
    headers.push([name, Buffer.from(value.trim(), 'utf8').toString('latin1')]);
  }
  return headers;
}

/** Seconds, the default of git-lfs for each of its three. */
const DEFAULT_TIMEOUT = 30;

/**
 * `idle` is the activity timeout; less than 1 means none. A server may be silent for much longer while it copies or hashes
 * gigabytes: its answer has 10 minutes, or three times the activity timeout once the user has set one.
 */
function timeoutsFrom(config: Config, lfs: UrlSettings): Timeouts {
  const seconds = (setting: ReturnType<Config['get']>): number | undefined => {
    const given = givenIn(setting);
    return given && readInteger(given, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  };
  // git-lfs: less than 1 means the default.
  const atLeastOne = (value: number | undefined) => (value === undefined || value < 1 ? DEFAULT_TIMEOUT : value);
  const activity = seconds(lfs.get('activitytimeout'));
  const idle = activity === undefined ? DEFAULT_TIMEOUT : activity < 1 ? Number.POSITIVE_INFINITY : activity;
  return {
    connect:
      (atLeastOne(seconds(config.get('lfs.dialtimeout'))) + atLeastOne(seconds(config.get('lfs.tlstimeout')))) * 1000,
    idle: idle * 1000,
    answer: (activity === undefined ? 10 * 60 : 3 * idle) * 1000,
  };
}

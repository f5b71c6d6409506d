import { DepotError } from '../backends/errors.ts';
import { withoutSecrets } from '../backends/location.ts';
import { type Config, isCommitted, placeOfSetting, type Setting } from './config.ts';
import type { Operation } from './protocol.ts';

/** Where the objects of a repository are, as text, and who said so: trust depends on that. */
export interface Endpoint {
  /**
   * A store's location, or a remote repository whose own `lfs/objects` is meant; `either` for a `file:` URL or a path in
   * `lfs.url` without `depot::`: git-lfs takes it for a repository, and users of other agents name a store so.
   */
  kind: 'store' | 'repository' | 'either';
  text: string;
  /** What to name in a message: "lfs.url in .lfsconfig". */
  source: string;
  /** Named for one command or one agent, instead of all that is configured: mirrors too. */
  instead: boolean;
  /** False for text that came with a clone: `.lfsconfig`, or a remote's URL, which for a submodule is such a text too. */
  chosenByUser: boolean;
}

export interface EndpointQuery {
  operation: Operation;
  /** A remote's name, or a URL as typed in `git push <url>`. */
  remote: string;
  config: Config;
  /** From `agent <location>`, and from the environment. */
  argument: string | undefined;
  environment: string | undefined;
}

/** The variable that names a location for one command, before all settings. */
export const LOCATION_VARIABLE = 'LFS_DEPOT_LOCATION';

/**
 * Argument, environment, then git-lfs's own order (its lfsapi/endpoint_finder.go): lfs.pushurl, lfs.url, the remote's
 * lfspushurl, lfsurl, pushurl, url, then the same of origin. `url.*.insteadOf` is applied to what is found.
 * @throws DepotError `configuration` when nothing is set, or what is set belongs to another LFS server.
 */
export function findEndpoint(query: EndpointQuery): Endpoint {
  if (query.argument) return { ...store(query.argument, "the agent's argument", true), instead: true };
  if (query.environment) return { ...store(query.environment, LOCATION_VARIABLE, true), instead: true };
  const named = findUrl(query);
  if (!named) {
    throw new DepotError('configuration', {
      what: 'cannot tell where the LFS objects of this repository are',
      why: 'neither lfs.url nor the remote says so',
      cure: 'run: lfs-depot init <location>',
    });
  }
  const { url, source, isRemote, chosenByUser } = named;
  if (url.startsWith('depot::')) return store(url.slice('depot::'.length), source, chosenByUser);
  if (isOtherServer(url)) throw otherServer(url, source);
  return { kind: isRemote ? 'repository' : 'either', text: url, source, chosenByUser, instead: false };
}

/** What the settings name, as git-lfs reads them. */
export interface Named {
  /** With `url.*.insteadOf` applied. */
  url: string;
  source: string;
  isRemote: boolean;
  chosenByUser: boolean;
}

/** What the settings name, whatever it is; undefined where they name nothing. */
export function findUrl(query: Omit<EndpointQuery, 'argument' | 'environment'>): Named | undefined {
  const found = search(query);
  if (!found) return undefined;
  const { setting, isRemote, chosenByUser } = found;
  const { url, by } = rewritten(found.url, query);
  const said = setting ? `${setting.key} in ${placeOfSetting(setting)}` : 'the remote';
  const source = by ? `${said} as rewritten by ${nameOfRule(by)} in ${placeOfSetting(by)}` : said;
  return { url, source, isRemote, chosenByUser };
}

/** Whether a URL is that of an LFS server, or of a git server that has one: no location of ours, and no folder. */
export function isOtherServer(url: string): boolean {
  return /^([a-z][a-z0-9+.-]+:\/\/(?<!file:\/\/)|[^/\\:]+@)/i.test(url);
}

interface Found {
  url: string;
  setting: Setting | undefined;
  isRemote: boolean;
  chosenByUser: boolean;
}

function search({ operation, remote, config }: Omit<EndpointQuery, 'argument' | 'environment'>): Found | undefined {
  const upload = operation === 'upload';
  const say = (setting: Setting | undefined, isRemote: boolean): Found | undefined =>
    setting && {
      url: setting.value,
      setting,
      isRemote,
      chosenByUser: !isCommitted(setting) && setting.scope !== 'unknown' && !isRemote,
    };
  const ofRemote = (name: string): Found | undefined =>
    (upload ? say(config.get(`remote.${name}.lfspushurl`), false) : undefined) ??
    say(config.get(`remote.${name}.lfsurl`), false) ??
    (upload ? say(config.get(`remote.${name}.pushurl`), true) : undefined) ??
    say(config.get(`remote.${name}.url`), true);
  return (
    (upload ? say(config.get('lfs.pushurl'), false) : undefined) ??
    say(config.get('lfs.url'), false) ??
    (remote === '' ? undefined : ofRemote(remote)) ??
    (/[/\\:]/.test(remote) ? { url: remote, setting: undefined, isRemote: true, chosenByUser: false } : undefined) ??
    ofRemote('origin')
  );
}

/** The longest prefix wins; `pushInsteadOf` goes first for uploads. */
export function insteadOf(url: string, query: Rewriting): string {
  return rewritten(url, query).url;
}

type Rewriting = Pick<EndpointQuery, 'operation' | 'config'>;

function rewritten(url: string, { operation, config }: Rewriting): { url: string; by?: Setting } {
  for (const name of operation === 'upload' ? ['.pushinsteadof', '.insteadof'] : ['.insteadof']) {
    let best: Setting | undefined;
    for (const setting of config.settings) {
      if (!setting.key.startsWith('url.') || !setting.key.endsWith(name)) continue;
      if (url.startsWith(setting.value) && setting.value.length > (best?.value.length ?? 0)) best = setting;
    }
    if (best) return { url: best.key.slice('url.'.length, -name.length) + url.slice(best.value.length), by: best };
  }
  return { url };
}

/** Its key as people write it, without what may be a password in the URL. */
function nameOfRule({ key }: Setting): string {
  const [, base = '', name = ''] = /^url\.(.*)\.(.*)$/s.exec(key) ?? [];
  return `url.${withoutSecrets(base)}.${name.startsWith('push') ? 'pushInsteadOf' : 'insteadOf'}`;
}

function store(text: string, source: string, chosenByUser: boolean): Endpoint {
  return { kind: 'store', text, source, chosenByUser, instead: false };
}

function otherServer(url: string, source: string): DepotError {
  return new DepotError('configuration', {
    what: `cannot keep LFS objects at ${withoutSecrets(url)}`,
    why: `${source} names it, and it is not a location of lfs-depot`,
    cure: 'run `lfs-depot init <location>`, or `git config --unset lfs.standalonetransferagent` to use that LFS server',
  });
}

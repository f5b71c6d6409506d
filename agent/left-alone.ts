import { DepotError } from '../backends/errors.ts';
import { withoutSecrets } from '../backends/location.ts';
import { shellWord } from '../backends/shell-word.ts';
import type { Config, Setting } from './config.ts';
import { type Endpoint, type EndpointQuery, findEndpoint, findUrl, isOtherServer, type Named } from './endpoint.ts';
import { AGENT } from './start.ts';

// What commands that people type ask before they speak of a repository's objects. The agent need not: git-lfs has started it.

/** Why git-lfs asks lfs-depot nothing about the objects of a repository. */
export interface LeftAlone {
  /** Who keeps them instead. */
  by: 'server' | 'git-lfs';
  detail: string;
  /** What to do if lfs-depot is to keep them. */
  next: string;
}

/** Undefined where lfs-depot is asked, and where nothing tells where the objects are. */
export function leftAlone(query: EndpointQuery): LeftAlone | undefined {
  const named = query.argument || query.environment ? undefined : findUrl(query);
  if (!named || named.url.startsWith('depot::') || routeTo(named.url, query.config)) return undefined;
  const where = `${withoutSecrets(named.url)} (${named.source})`;
  if (isOtherServer(named.url)) {
    const detail = `its objects belong to the LFS server of ${where}, and lfs-depot leaves it alone`;
    return { by: 'server', detail, next: 'lfs-depot init <location>' };
  }
  const detail = `git-lfs by itself keeps its objects in ${where}: this repository is not set up for lfs-depot`;
  const next = 'lfs-depot init <location>, or to serve every remote that is a folder: lfs-depot install --file-remotes';
  return { by: 'git-lfs', detail, next };
}

/**
 * As `findEndpoint`, for who may stand in a repository that has an LFS server and nothing to do with lfs-depot.
 * @throws DepotError `configuration` as `findEndpoint`; the cure takes back a setting only if it is there.
 */
export function endpointHere(query: EndpointQuery): Endpoint {
  const alone = leftAlone(query);
  if (alone?.by === 'server') {
    throw new DepotError('configuration', {
      what: 'lfs-depot does not keep the objects of this repository',
      why: alone.detail,
      cure: `if it is to keep them, run: ${alone.next}`,
    });
  }
  const named = query.argument || query.environment ? undefined : findUrl(query);
  const route = named && isOtherServer(named.url) ? routeTo(named.url, query.config) : undefined;
  if (named && route) throw misrouted(named, route);
  return findEndpoint(query);
}

/** The agent is asked, and can do nothing with such a server. */
function misrouted({ url, source }: Named, { key, scope }: Setting): DepotError {
  // What was set for one command is not there any more.
  const isFile = ['system', 'global', 'local', 'worktree'].includes(scope);
  const unset = isFile ? `, or \`git config --${scope} --unset-all ${shellWord(key)}\` to use that LFS server` : '';
  return new DepotError('configuration', {
    what: `cannot keep LFS objects at ${withoutSecrets(url)}`,
    why: `${source} names it, it is not a location of lfs-depot, and ${key} in ${scope} git config sends git-lfs to lfs-depot`,
    cure: `run \`lfs-depot init <location>\`${unset}`,
  });
}

/** The setting by which git-lfs starts an agent for a URL; of those for some URLs only ours count. */
function routeTo(url: string, config: Config): Setting | undefined {
  const scoped = config.settings.findLast(({ key, value }) => {
    const pattern = /^lfs\.(.+)\.standalonetransferagent$/s.exec(key)?.[1];
    return pattern !== undefined && value === AGENT && covers(pattern, asUrl(url));
  });
  const unscoped = config.get('lfs.standalonetransferagent');
  return scoped ?? (unscoped?.value === '' ? undefined : unscoped);
}

/** git-lfs makes a `file:` URL of what is none, with no host, whatever its slashes. */
function asUrl(text: string): string {
  return isOtherServer(text) || /^file:\/\//i.test(text) ? text : `file:///${text}`;
}

/** As git-lfs compares them: `*` is one label of a host, and no host is one label; a path covers what is below it. */
function covers(pattern: string, url: string): boolean {
  const [wide, narrow] = [partsOf(pattern), partsOf(url)];
  if (!wide || !narrow || wide.scheme !== narrow.scheme || wide.labels.length !== narrow.labels.length) return false;
  if (!wide.labels.every((label, index) => label === '*' || label === narrow.labels[index])) return false;
  return `${narrow.path}/`.startsWith(`${wide.path}/`);
}

function partsOf(url: string): { scheme: string; labels: string[]; path: string } | undefined {
  const [, scheme, host, path] = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?([^/]*)(.*)$/is.exec(url) ?? [];
  if (scheme === undefined || host === undefined || path === undefined) return undefined;
  return { scheme: scheme.toLowerCase(), labels: host.split('.'), path: path.replace(/\/+$/, '') };
}

import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Backend } from '../backends/backend.ts';
import { isKind } from '../backends/errors.ts';
import { type Location, parseLocation, type Surroundings } from '../backends/location.ts';
import { openBackend } from '../backends/open.ts';
import { answering } from './answering.ts';
import type { Config } from './config.ts';
import { durabilityFrom } from './durability.ts';
import type { Endpoint } from './endpoint.ts';
import { MARKER, readMarker } from './marker.ts';
import { mountsIn } from './mounts.ts';
import { retriesFrom } from './retry-settings.ts';
import { type Store, storeOver } from './store.ts';
import { assertTrusted } from './trust.ts';
import { verifyPolicy } from './verify-policy.ts';

export function surroundings(): Surroundings {
  return { platform: process.platform, home: homedir() };
}

/**
 * The location that an endpoint names, if it is allowed; see `resolveEndpoint`. A remote that is a folder of this computer
 * is: git has been there before us, git-lfs by itself goes there unasked, and nobody's password is sent anywhere.
 * @throws DepotError `untrusted`.
 */
export function locate(endpoint: Endpoint, config: Config, base: string): Location {
  const location = resolveEndpoint(endpoint, base);
  const isOpenToGit = endpoint.kind === 'repository' && location.kind === 'folder';
  if (!endpoint.chosenByUser && !isOpenToGit) assertTrusted(location, endpoint.source, config, surroundings());
  return location;
}

/**
 * The location that an endpoint names. Touches nothing.
 * @param base what a remote's relative path is relative to, as for git: the worktree.
 * @throws DepotError `configuration` unless it can be read.
 */
export function resolveEndpoint(endpoint: Endpoint, base: string): Location {
  const relative = endpoint.kind === 'repository' && /^\.{1,2}(\/|$)/.test(endpoint.text);
  const text = relative ? resolve(base, endpoint.text) : endpoint.text;
  return parseLocation(text, surroundings());
}

/**
 * The backend at a location, with what git is configured to for the web.
 * @param anchor see OpenOptions.
 */
export async function openAt(
  location: Location,
  anchor: string,
  config: Config,
  { retries: most = Number.POSITIVE_INFINITY }: Patience = {},
): Promise<Backend> {
  const web =
    location.kind === 'webdav'
      ? await (await import('./network/http-settings.ts')).webOptionsFor(location.url, config, process.env)
      : undefined;
  const mounts = mountsIn(config, surroundings());
  const given = retriesFrom(config);
  const retries = { ...given, count: Math.min(given.count, most) };
  return openBackend(location, {
    platform: process.platform,
    anchor,
    temp: 'tmp',
    mounts,
    web: web && { ...web, retries },
    retries,
    durable: durabilityFrom(config),
  });
}

/**
 * Opens what an endpoint names; `own` when those are the objects of a git repository.
 * @throws DepotError as `openStore` and `openGitObjects`.
 */
export async function openEndpoint(
  kind: Endpoint['kind'],
  location: Location,
  config: Config,
  patience?: Patience,
): Promise<Opened> {
  const repository = async () => {
    const { openGitObjects } = await import('./git-objects.ts');
    return { store: await openGitObjects(location, config, surroundings()), own: true };
  };
  if (kind === 'repository') return repository();
  try {
    return { store: await openStore(location, config, patience), own: false };
  } catch (error) {
    if (kind === 'store' || !isKind(error, 'no-store')) throw error;
    return repository().catch((second) => {
      throw isKind(second, 'no-store') ? error : second;
    });
  }
}

export interface Opened {
  store: Store;
  own: boolean;
}

/** How much is waited for. */
export interface Patience {
  /** Milliseconds that a store has to show that it is there; default a minute. */
  timeout?: number | undefined;
  /** At most so many repetitions, whatever the user has set. */
  retries?: number | undefined;
}

/** @throws DepotError `no-store` without a marker, `unreachable` when nothing answers. */
export async function openStore(location: Location, config: Config, patience: Patience = {}): Promise<Store> {
  const backend = await openAt(location, MARKER, config, patience);
  const { id, findings } = await answering(
    backend.location,
    (signal) => readMarker(backend, { signal }),
    patience.timeout,
  );
  backend.assume(findings);
  return storeOver(backend, { id, objects: '', verify: verifyPolicy(config, backend.capabilities.reads) });
}

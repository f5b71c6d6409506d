import { DepotError } from '../../backends/errors.ts';
import { covers, type Location, parseLocation, withoutSecrets } from '../../backends/location.ts';
import { type Config, isCommitted, type Setting } from '../config.ts';
import { type Endpoint, insteadOf } from '../endpoint.ts';
import { givenIn, readInteger, refuse } from '../given.ts';
import { locate, surroundings } from '../open-store.ts';
import type { Operation } from '../protocol.ts';
import { assertTrusted } from '../trust.ts';
import { HASTY, type Place, placeAt } from './place.ts';

/** Where the objects of a repository are kept: one store, and the mirrors that `.lfsdepot` or git config name. */
export interface Places {
  primary: Place;
  mirrors: Place[];
  /** Mirrors that are not used, and why: not trusted, or not to be read. */
  refused: Refused[];
  /** @throws DepotError `configuration` for settings that cannot be used. */
  readonly rule: WriteRule;
}

export interface Refused {
  text: string;
  error: DepotError;
}

/** More mirrors than anybody has: the rest is not looked at. Each that cannot be used is told of in every push. */
const MOST_MIRRORS = 16;

/** When a push may say that it is done. */
export interface WriteRule {
  /** Where objects are sent to at once; what a mirror lacks, `sync` brings. */
  to: 'primary' | 'all';
  /** How many places must have an object; undefined: the primary must. */
  quorum: number | undefined;
}

export const MIRROR = 'depot.mirror';

const ALONE: WriteRule = { to: 'primary', quorum: undefined };

/**
 * @param operation what the places are for; a download with a second place to ask waits less for the first.
 * @param base what a remote's relative path is relative to, as for git: the worktree.
 * @throws DepotError `untrusted`, `configuration` for the primary.
 */
export function placesOf(endpoint: Endpoint, config: Config, base: string, operation?: Operation): Places {
  const location = locate(endpoint, config, base);
  const mirrors: Place[] = [];
  const refused: Refused[] = [];
  // The last ones: those of one's own git config come after those of a repository, and are not crowded out by them.
  for (const setting of endpoint.instead ? [] : config.all(MIRROR).slice(-MOST_MIRRORS)) {
    try {
      const mirror = mirrorIn(setting, config);
      const known = [location, ...mirrors.map((place) => place.location)].some((other) => isSame(other, mirror));
      if (!known) mirrors.push(placeAt({ role: 'mirror', kind: 'store', location: mirror }, config, HASTY));
    } catch (error) {
      if (!(error instanceof DepotError)) throw error;
      refused.push({ text: withoutSecrets(setting.value), error });
    }
  }
  // One that is refused is no place to ask instead.
  const patience = operation === 'download' && mirrors.length > 0 ? HASTY : undefined;
  return {
    primary: placeAt({ role: 'primary', kind: endpoint.kind, location }, config, patience),
    mirrors,
    refused,
    // Read by who writes: a mistake in it is nothing to a download.
    get rule() {
      return endpoint.instead ? ALONE : writeRule(config);
    },
  };
}

/** @throws DepotError `untrusted`, `configuration`. */
function mirrorIn(setting: Setting, config: Config): Location {
  const location = mirrorNamed(setting.value, config);
  if (isCommitted(setting) || setting.scope === 'unknown')
    assertTrusted(location, `${MIRROR} in .lfsdepot`, config, surroundings());
  return location;
}

/**
 * What a mirror's text means on this computer: whose folder differs says so in one way for all locations, by `url.*.insteadOf`.
 * @throws DepotError `configuration`.
 */
export function mirrorNamed(text: string, config: Config): Location {
  return parseLocation(insteadOf(`depot::${text}`, { operation: 'download', config }), surroundings());
}

export function isSame(one: Location, other: Location): boolean {
  const { platform } = surroundings();
  return covers(one, other, platform) && covers(other, one, platform);
}

/** `depot.write`: `primary` (default) or `all`; `depot.quorum`: a number, which means `all` too. */
function writeRule(config: Config): WriteRule {
  const write = givenIn(config.get('depot.write'));
  const to = write?.value.toLowerCase() ?? 'primary';
  if (write && to !== 'primary' && to !== 'all') {
    throw refuse(write, `'${write.value}' is neither primary nor all`, 'set depot.write to primary or all');
  }
  const given = givenIn(config.get('depot.quorum'));
  const quorum = given && readInteger(given, 1, 100);
  return { to: quorum !== undefined || to === 'all' ? 'all' : 'primary', quorum };
}

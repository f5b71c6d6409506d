import { DepotError } from '../../backends/errors.ts';
import { type Config, configOf, isCommitted, namesPlace, readBlob, type Setting } from '../config.ts';
import { type Endpoint, findEndpoint } from '../endpoint.ts';
import { resolveEndpoint } from '../open-store.ts';
import { type Place, placeAt } from '../places/place.ts';
import { placesOf } from '../places/places.ts';
import type { Found } from './found.ts';
import { idsOf } from './git-ids.ts';
import type { Revisions } from './revisions.ts';

/**
 * Where a fresh clone looks for its files: it knows what is committed, and nothing of what its owner told this clone besides,
 * by git config, by the environment, or by a file that is not committed yet.
 */
export interface Source {
  /** What says so: "lfs.url in .lfsconfig". */
  said: string;
  /** Undefined where nothing that we could ask is named. */
  store: Place | undefined;
  mirrors: Place[];
  /** Whether there are mirrors that are not asked, because they are not trusted here. */
  hasOthers: boolean;
  /** Why it is not to be asked. */
  trouble: DepotError | undefined;
}

/** One for each set of settings that the commits hold: mostly one. */
export async function sourcesOf(found: Found, { leading }: Revisions): Promise<Source[]> {
  const { cwd } = found;
  const specs = leading.flatMap((commit) => [`${commit}:.lfsconfig`, `${commit}:.lfsdepot`]);
  const blobs = await idsOf(cwd, specs);
  const pairs = new Map<string, [string | undefined, string | undefined]>();
  for (let index = 0; index < blobs.length; index += 2) {
    pairs.set(`${blobs[index]} ${blobs[index + 1]}`, [blobs[index], blobs[index + 1]]);
  }
  const sources: Source[] = [];
  for (const [lfsconfig, lfsdepot] of pairs.values()) {
    const theirs = lfsconfig === undefined ? undefined : await readBlob(cwd, lfsconfig, 'lfsconfig');
    const ours = lfsdepot === undefined ? undefined : await readBlob(cwd, lfsdepot, 'lfsdepot');
    sources.push(sourceBy([...(ours ?? []), ...(theirs ?? [])], found));
  }
  return sources;
}

function sourceBy(committed: Setting[], found: Found): Source {
  const config = configElsewhere(committed, found);
  const base = found.repository.worktree ?? found.cwd;
  let endpoint: Endpoint | undefined;
  try {
    const query = { operation: 'download', remote: 'origin', argument: undefined, environment: undefined } as const;
    endpoint = findEndpoint({ ...query, config });
    const { primary, mirrors, refused } = placesOf(endpoint, config, base);
    const hasOthers = refused.some(({ error }) => error.kind === 'untrusted');
    return { said: endpoint.source, store: primary, mirrors, hasOthers, trouble: undefined };
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    const store =
      endpoint && error.kind === 'untrusted'
        ? placeAt({ role: 'primary', kind: endpoint.kind, location: resolveEndpoint(endpoint, base) }, config)
        : undefined;
    return {
      said: endpoint?.source ?? '',
      store,
      mirrors: [],
      hasOthers: false,
      trouble: store ? error : notNamed(error),
    };
  }
}

/**
 * The settings of a clone elsewhere, as far as they can be known here. What the settings of this computer say counts
 * where nothing is committed: a team may have given all its computers the same.
 */
function configElsewhere(committed: Setting[], { config, remote }: Found): Config {
  const isNamed = committed.some(namesPlace);
  const isShared = (setting: Setting): boolean => {
    if (isCommitted(setting) || /^depot\.(mirror|write|quorum)$|^remote\..+\.(push)?url$/s.test(setting.key))
      return false;
    return !namesPlace(setting) || (!isNamed && ['system', 'global'].includes(setting.scope));
  };
  const url = config.get(`remote.${remote}.url`);
  const origin: Setting[] = url ? [{ ...url, key: 'remote.origin.url' }] : [];
  return configOf([...config.settings.filter(isShared), ...origin, ...committed]);
}

function notNamed(error: DepotError): DepotError {
  return new DepotError(error.kind, {
    what: 'cannot tell where clones get their files from',
    why: `what is committed names no store (${error.message})`,
    cure: 'commit the .lfsconfig that names the store: lfs-depot init <location> writes it',
    cause: error,
  });
}

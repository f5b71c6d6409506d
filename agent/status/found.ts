import { DepotError } from '../../backends/errors.ts';
import { formatLocation } from '../../backends/location.ts';
import { type Config, readConfig } from '../config.ts';
import { defaultRemote } from '../default-remote.ts';
import { type Endpoint, LOCATION_VARIABLE } from '../endpoint.ts';
import { findRepository, type Repository } from '../git.ts';
import { endpointHere, type LeftAlone, leftAlone } from '../left-alone.ts';
import { resolveEndpoint } from '../open-store.ts';
import { placeAt } from '../places/place.ts';
import { isSame, type Places, placesOf } from '../places/places.ts';

/** The repository at hand, and where its objects belong. */
export interface Found extends Places {
  cwd: string;
  repository: Repository;
  config: Config;
  endpoint: Endpoint;
  /** The remote that a push goes to if none is named. */
  remote: string;
  /** Why the store may not even be asked: not trusted. */
  forbidden: DepotError | undefined;
  /** Where pushes go, if that is another place than clones fetch from. */
  pushesTo: string | undefined;
  /** Where git-lfs by itself keeps them in a remote that is a folder: that can be looked at all the same. */
  alone: LeftAlone | undefined;
}

/**
 * Finds what a download here would. A fresh clone may be told of other places: see fresh-clone.ts.
 * @throws DepotError `configuration` outside of a repository, or where nothing names a store.
 */
export async function findPlaces(): Promise<Found> {
  const cwd = process.cwd();
  const repository = await findRepository(cwd);
  const config = await readConfig(cwd, repository);
  const remote = await defaultRemote(cwd, config);
  const base = repository.worktree ?? cwd;
  const environment = process.env[LOCATION_VARIABLE];
  const query = { remote, config, argument: undefined, environment };
  const endpoint = endpointHere({ ...query, operation: 'download' });
  const alone = leftAlone({ ...query, operation: 'download' });
  const location = resolveEndpoint(endpoint, base);
  const upload = resolveEndpoint(endpointHere({ ...query, operation: 'upload' }), base);
  const pushesTo = isSame(upload, location) ? undefined : formatLocation(upload);
  const known = { cwd, repository, config, endpoint, remote, pushesTo, alone };
  try {
    return { ...known, ...placesOf(endpoint, config, base), forbidden: undefined };
  } catch (error) {
    if (!(error instanceof DepotError) || error.kind !== 'untrusted') throw error;
    const primary = placeAt({ role: 'primary', kind: endpoint.kind, location }, config);
    const rule = { to: 'primary', quorum: undefined } as const;
    return { ...known, primary, mirrors: [], refused: [], rule, forbidden: error };
  }
}

import { DepotError } from '../../backends/errors.ts';
import { formatLocation, type Location } from '../../backends/location.ts';
import { type Config, readConfig } from '../config.ts';
import { LOCATION_VARIABLE } from '../endpoint.ts';
import { findRepository } from '../git.ts';
import { endpointHere } from '../left-alone.ts';
import { locate } from '../open-store.ts';
import type { Operation } from '../protocol.ts';
import { resolveTyped } from '../typed-location.ts';

/**
 * The URLs that a command about logging in is for: of the location that was typed, else of those that the repository at
 * hand fetches from and pushes to.
 * @throws DepotError `untrusted` for a repository's location that the user has not allowed; `configuration` where there is
 *   nothing to log in to.
 */
export async function webPlaces(typed: string | undefined): Promise<{ urls: string[]; config: Config }> {
  const cwd = process.cwd();
  const repository = typed === undefined ? await findRepository(cwd) : undefined;
  const config = await readConfig(cwd, repository);
  const locations = typed === undefined ? ofRepository(config, repository?.worktree ?? cwd) : [resolveTyped(typed)];
  const urls = locations.flatMap((location) => (location.kind === 'webdav' ? [location.url] : []));
  if (urls.length > 0) return { urls: [...new Set(urls)], config };
  const [location] = locations as [Location];
  const noun = location.kind === 'share' ? 'a network share' : 'a folder';
  throw new DepotError('configuration', {
    what: `cannot log in to ${formatLocation(location)}`,
    why: `${noun} needs no login: the system itself decides who may use it`,
    cure: 'name a WebDAV location, like https://dav.example.com/lfs/art',
  });
}

function ofRepository(config: Config, base: string): Location[] {
  const environment = process.env[LOCATION_VARIABLE];
  return (['download', 'upload'] satisfies Operation[]).map((operation) => {
    const endpoint = endpointHere({ operation, remote: '', config, argument: undefined, environment });
    return locate(endpoint, config, base);
  });
}

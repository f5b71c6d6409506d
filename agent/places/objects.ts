import type { Config } from '../config.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Objects } from '../store.ts';
import { notice } from './notice.ts';
import { offlineMode, spooling } from './offline.ts';
import { type Places, placesOf } from './places.ts';
import { readerOf } from './read.ts';
import { spoolFor } from './spool.ts';
import { writerOf } from './write.ts';

/**
 * The objects of a repository, wherever they may be found: the spool, the store and its mirrors. Opens nothing yet.
 * @param base see `placesOf`.
 */
export async function objectsOf(endpoint: Endpoint, config: Config, base: string, commonDir: string): Promise<Objects> {
  const places = placesOf(endpoint, config, base);
  for (const { text, error } of places.refused) notice(`the mirror ${text} is not used: ${error.why}`);
  return spooling(inPlaces(places), spoolFor(commonDir, places.primary.name), offlineMode(config));
}

/** All places as one. */
export function inPlaces(places: Places): Objects {
  return {
    location: places.primary.name,
    // Where one of them does not, it is given no beginning.
    resumes: true,
    put: writerOf(places),
    get: readerOf([places.primary, ...places.mirrors]),
  };
}

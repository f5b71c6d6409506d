import { mkdirSync } from 'node:fs';
import { rising } from '../../backends/rising.ts';
import type { Cache } from '../cache/cache.ts';
import { isCiJob } from '../ci-job.ts';
import type { Config } from '../config.ts';
import type { Endpoint } from '../endpoint.ts';
import { noticeOnce } from '../notice.ts';
import type { Operation } from '../protocol.ts';
import { type OfflineMode, offlineMode, spooling } from '../spool/offline.ts';
import { spoolFor, spoolsIn } from '../spool/spool.ts';
import type { Objects } from '../store.ts';
import { type Places, placesOf } from './places.ts';
import { readerOf } from './read.ts';
import { type Tell, writerOf } from './write.ts';

/**
 * The objects of a repository, wherever they may be found: the spool, the cache, the store and its mirrors. Opens nothing yet.
 */
export async function objectsOf(endpoint: Endpoint, config: Config, here: Here): Promise<Objects> {
  const { operation, base, commonDir, tempFolder } = here;
  const places = placesOf(endpoint, config, base, operation);
  const tell = tellerIn(tempFolder);
  const [unused, ...more] = places.refused;
  if (unused) {
    const others = more.length === 0 ? '' : `, and ${more.length} more are not, see lfs-depot mirror list`;
    tell('refused', `the mirror ${unused.text} is not used: ${unused.error.why}${others}`);
  }
  const cache = config.get('depot.cache') ? await (await import('../cache/cache.ts')).cacheFrom(config) : undefined;
  const far = inPlaces(places, tell);
  const { primary } = places;
  const spool = spoolFor(commonDir, primary.name, primary.kind);
  return spooling(cache ? through(cache, far) : far, spool, modeHere(config), {
    isOut: () => primary.trouble !== undefined,
    others: async () => {
      // In a repository that a group shares, a colleague's may be closed to us.
      const all = await spoolsIn(commonDir).catch(() => []);
      return all.filter(({ folder }) => folder !== spool.folder);
    },
  });
}

/** With a CI job's clone, what waits there is thrown away: `auto` means `off` in one. */
function modeHere(config: Config): OfflineMode {
  const mode = offlineMode(config);
  return mode === 'auto' && isCiJob() ? 'off' : mode;
}

interface Here {
  operation: Operation;
  /** See `placesOf`. */
  base: string;
  /** The git folder. */
  commonDir: string;
  /** git-lfs's own, where it removes what is older than an hour. */
  tempFolder: string;
}

/** All places as one. */
export function inPlaces(places: Places, tell: Tell): Objects {
  return {
    location: places.primary.name,
    // Where one of them does not, it is given no beginning.
    resumes: true,
    put: writerOf(places, tell),
    get: readerOf([places.primary, ...places.mirrors], places.refused),
  };
}

/** Eight processes have the same to tell in a push. */
function tellerIn(folder: string): Tell {
  return (name, text) => {
    try {
      mkdirSync(folder, { recursive: true });
    } catch {
      // Then each of them tells it.
    }
    noticeOnce(folder, name, text);
  };
}

/** Reads through the cache, and fills it. What is pushed is not put there: it is in this clone, and may never be fetched here. */
function through(cache: Cache, inner: Objects): Objects {
  return {
    ...inner,
    async get(oid, size, localFile, options = {}) {
      const call = { ...options, onProgress: rising(options.onProgress) };
      if (await cache.get(oid, size, localFile, call)) return;
      await inner.get(oid, size, localFile, call);
      await cache.add(oid, size, localFile, { signal: options.signal });
    },
  };
}

import { rmSync } from 'node:fs';
import { DepotError, isKind } from '../../backends/errors.ts';
import type { Oid } from '../oid.ts';
import type { Store } from '../store.ts';
import { newDownload, partsOf } from '../transfer-files.ts';
import type { Place } from './place.ts';

export interface Everything {
  objects: Map<Oid, { oid: Oid; size: number }>;
  /** Places that answer, and did not name all that they hold. */
  unlisted: { place: Place; error: DepotError }[];
}

interface Candidate {
  size: number;
  store: Store;
}

/**
 * What several places hold, each object once. Those that do not open, or go away meanwhile, are left out: they know why.
 * @param tempFolder on this computer: where the sizes of an object differ, it is fetched to see which is right.
 * @throws DepotError `cancelled`.
 */
export async function everythingIn(
  places: readonly Place[],
  { tempFolder, signal }: { tempFolder: string; signal: AbortSignal },
): Promise<Everything> {
  const found = new Map<Oid, Candidate[]>();
  const unlisted: Everything['unlisted'] = [];

  async function list(place: Place): Promise<void> {
    try {
      const store = await place.open();
      for await (const { oid, size } of store.list({ signal })) {
        const others = found.get(oid);
        if (!others) found.set(oid, [{ size, store }]);
        else if (!others.some((other) => other.size === size)) others.push({ size, store });
      }
    } catch (error) {
      if (!(error instanceof DepotError) || error.kind === 'cancelled') throw error;
      place.blame(error);
      if (!place.trouble) unlisted.push({ place, error });
    }
  }
  await Promise.all(places.map(list));

  const objects: Everything['objects'] = new Map();
  for (const [oid, candidates] of found) {
    const size = await rightSize(oid, candidates, tempFolder, signal);
    objects.set(oid, { oid, size });
  }
  return { objects, unlisted };
}

/** A half-finished copy must not be taken for the object. Where none is right, any will do: bringing it fails, and says why. */
async function rightSize(oid: Oid, candidates: Candidate[], tempFolder: string, signal: AbortSignal): Promise<number> {
  const [first] = candidates;
  if (candidates.length === 1 && first) return first.size;
  const file = newDownload(tempFolder, oid);
  for (const { size, store } of candidates) {
    try {
      await store.get(oid, size, file, { signal });
      return size;
    } catch (error) {
      if (!(error instanceof DepotError) || isKind(error, 'cancelled', 'no-space')) throw error;
    } finally {
      for (const path of partsOf(file)) rmSync(path, { force: true });
    }
  }
  return first?.size ?? 0;
}

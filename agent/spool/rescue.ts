import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DepotError } from '../../backends/errors.ts';
import { objectPath } from '../layout.ts';
import type { Oid } from '../oid.ts';
import type { Objects } from '../store.ts';
import { newDownload, partsOf } from '../transfer-files.ts';
import type { Spool } from './spool.ts';

export interface RescueOptions {
  /** Bytes that it should have, as git knows. */
  size: number;
  /** git-lfs's folders on this computer. */
  objectsFolder: string;
  tempFolder: string;
  signal: AbortSignal;
}

/**
 * Does without a damaged copy in the spool: where git-lfs has a good one on this computer, that is brought to the place; where the
 * place has a right one already, nothing is left to do. Either is verified before the damaged one goes. To whether it could.
 * @throws DepotError `cancelled`.
 */
export async function rescue(oid: Oid, spool: Spool, objects: Objects, options: RescueOptions): Promise<boolean> {
  const { size, objectsFolder, tempFolder, signal } = options;
  const own = join(objectsFolder, objectPath(oid));
  const attempts = [
    async () => {
      if (statSync(own, { throwIfNoEntry: false })?.size !== size) return false;
      await objects.put(oid, size, own, { signal, suspect: true });
      return true;
    },
    async () => {
      const fetched = newDownload(tempFolder, oid);
      try {
        await objects.get(oid, size, fetched, { signal });
        return true;
      } finally {
        for (const path of partsOf(fetched)) rmSync(path, { force: true });
      }
    },
  ];
  for (const attempt of attempts) {
    try {
      if (!(await attempt())) continue;
      await spool.drop(oid);
      return true;
    } catch (error) {
      if (!(error instanceof DepotError) || error.kind === 'cancelled') throw error;
    }
  }
  return false;
}

import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DepotError, isKind, throwIfCancelled } from '../../backends/errors.ts';
import { objectPath } from '../layout.ts';
import { OF_THE_PLACE_IN_A_ROW } from '../of-the-place.ts';
import type { Oid } from '../oid.ts';
import type { Spool } from '../spool/spool.ts';
import { newDownload, partsOf } from '../transfer-files.ts';
import type { Opened } from './nearest.ts';
import type { Place } from './place.ts';
import { readerOf } from './read.ts';

/** What became of one place. */
export interface CaughtUp {
  place: Place;
  /** Objects that it did not have, or had damaged, and has now. */
  brought: number;
  bytes: number;
  failed: { oid: Oid; error: DepotError }[];
  /** Why it was not asked, or not to the end. */
  trouble: DepotError | undefined;
}

export interface CatchUp {
  places: CaughtUp[];
  /** Objects that are in no place that answers, nor here. */
  nowhere: Oid[];
}

export interface CatchUpOptions {
  /** git-lfs's folders on this computer: objects are taken from the first, and put into the second on their way. */
  objectsFolder: string;
  tempFolder: string;
  /** What waits on this computer: objects are taken from there, too. */
  spools?: readonly Spool[];
  signal: AbortSignal;
  /** Called after each object that was looked at. */
  onObject?: (oid: Oid, size: number) => void;
}

/** How many objects are moved at a time. */
const PARALLEL = 8;

/** More than are under way at once: those fail together, before one that would have fitted has arrived. */
const ROW = 2 * PARALLEL;

/**
 * Brings every object to every place that lacks it, or has it in another size: from this computer where it is here, else from
 * another place. Safe to be done by several at once, to be killed, and to be done again.
 * @throws DepotError `cancelled`.
 */
export async function catchUp(
  objects: Iterable<{ oid: Oid; size: number }>,
  places: readonly Place[],
  options: CatchUpOptions,
): Promise<CatchUp> {
  const { signal, spools = [] } = options;
  const results = places.map((place): CaughtUp => ({ place, brought: 0, bytes: 0, failed: [], trouble: undefined }));
  const opened = await openAll(results);
  const read = readerOf(opened.map(({ place }) => place));
  const nowhere: Oid[] = [];
  /** How often in a row a place has refused an object. */
  const rows = new Map<CaughtUp, number>();

  async function bring(oid: Oid, size: number): Promise<void> {
    throwIfCancelled(signal, 'cannot catch up');
    const lacking = await whoLacks(oid, size);
    options.onObject?.(oid, size);
    if (lacking.length === 0) return;
    const source = sourceOf(oid, size, lacking.length < opened.length);
    try {
      for (const one of lacking) await bringTo(one, oid, size, source);
    } catch (error) {
      if (error !== NOWHERE) throw error;
      nowhere.push(oid);
    } finally {
      source.remove();
    }
  }

  async function bringTo({ result, store }: Asked, oid: Oid, size: number, source: Source): Promise<void> {
    if (result.trouble) return;
    let file: string;
    try {
      file = await source.file();
    } catch (error) {
      // Not this place's fault, but it is this place that goes without.
      if (!(error instanceof DepotError) || error.kind === 'cancelled') throw error;
      result.failed.push({ oid, error });
      return;
    }
    try {
      await store.put(oid, size, file, { signal });
      rows.delete(result);
      result.brought++;
      result.bytes += size;
    } catch (error) {
      if (isKind(error, 'corrupt') && source.isDamaged(file))
        return bringTo({ result, store, place: result.place }, oid, size, source);
      fail(result, oid, error);
    }
  }

  async function whoLacks(oid: Oid, size: number): Promise<Asked[]> {
    const lacking: Asked[] = [];
    const ask = async (one: Asked): Promise<void> => {
      if (one.result.trouble) return;
      try {
        if ((await one.store.stat(oid, { signal }))?.size !== size) lacking.push(one);
      } catch (error) {
        fail(one.result, oid, error);
      }
    };
    await Promise.all(opened.map(ask));
    return lacking;
  }

  /** The object as a file of this computer: fetched only if it has to be, and once. */
  function sourceOf(oid: Oid, size: number, isElsewhere: boolean): Source {
    const here = [join(options.objectsFolder, objectPath(oid)), ...spools.map((spool) => spool.fileOf(oid))];
    const isWhole = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.size === size;
    const damaged = new Set<string>();
    let fetched: string | undefined;
    let fetching: Promise<string> | undefined;
    const fetch = async (): Promise<string> => {
      fetched = newDownload(options.tempFolder, oid);
      try {
        await read(oid, size, fetched, { signal });
        return fetched;
      } catch (error) {
        throw isKind(error, 'absent') ? NOWHERE : error;
      }
    };
    return {
      async file() {
        const own = here.find((file) => !damaged.has(file) && isWhole(file));
        if (own !== undefined) return own;
        if (!isElsewhere) throw NOWHERE;
        fetching ??= fetch();
        return fetching;
      },
      isDamaged(file) {
        damaged.add(file);
        return here.includes(file);
      },
      remove() {
        if (fetched) for (const path of partsOf(fetched)) rmSync(path, { force: true });
      },
    };
  }

  function fail(result: CaughtUp, oid: Oid, error: unknown): void {
    if (!(error instanceof DepotError)) throw error;
    if (error.kind === 'cancelled') throw error;
    result.place.blame(error);
    const row = OF_THE_PLACE_IN_A_ROW.has(error.kind) ? (rows.get(result) ?? 0) + 1 : 0;
    rows.set(result, row);
    if (result.place.trouble || row >= ROW) result.trouble ??= error;
    else result.failed.push({ oid, error });
  }

  const queue = objects[Symbol.iterator]();
  let isGivenUp = false;
  async function work(): Promise<void> {
    try {
      for (let next = queue.next(); !next.done && !isGivenUp; next = queue.next()) {
        await bring(next.value.oid, next.value.size);
      }
    } catch (error) {
      isGivenUp = true;
      throw error;
    }
  }
  // All are waited for, also when one fails: only then the files on their way are gone.
  const outcomes = await Promise.allSettled(Array.from({ length: PARALLEL }, work));
  throwIfCancelled(signal, 'cannot catch up');
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return { places: results, nowhere };
}

const NOWHERE = new Error('the object is in no place that answers');

interface Source {
  /** @throws NOWHERE; DepotError when it cannot be fetched. */
  file(): Promise<string>;
  /** To be told of a file that turned out to be damaged; whether there may be another. */
  isDamaged(file: string): boolean;
  remove(): void;
}

interface Asked extends Opened {
  result: CaughtUp;
}

async function openAll(results: CaughtUp[]): Promise<Asked[]> {
  const open = async (result: CaughtUp): Promise<Asked[]> => {
    try {
      const store = await result.place.open();
      // It may have opened before, and shown only later that it is in trouble.
      if (result.place.trouble) throw result.place.trouble;
      return [{ result, place: result.place, store }];
    } catch (error) {
      if (!(error instanceof DepotError)) throw error;
      result.trouble = error;
      return [];
    }
  };
  return (await Promise.all(results.map(open))).flat();
}

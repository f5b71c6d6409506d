import { statfsSync } from 'node:fs';
import { normalize } from 'node:path';
import type { Backend, CallOptions, PutOptions } from '../backend.ts';
import { cancelled, DepotError, throwIfCancelled } from '../errors.ts';
import { errorCode, fromSystemError } from '../system-error.ts';
import { digestFile, getFile, readFile } from './download.ts';
import { makeRoot } from './modes.ts';
import { assertMounted, fileStatSoon, inside, makeTempFolder, type Place, versionOf } from './place.ts';
import { listFiles, removeFile, sweepTemp } from './tidy.ts';
import { putFile, writeFile } from './upload.ts';

const READING = new Set(['look at', 'fetch', 'read']);

export interface FolderOptions {
  location: string;
  anchor: string;
  temp: string;
  platform: NodeJS.Platform;
}

/** A folder on a disk or on a mounted share. Touches nothing until a verb is called. */
export function openFolder(root: string, options: FolderOptions): Backend {
  const place: Place = { root: normalize(root), ...options, lacks: new Set() };

  /** Gives every failure its kind, and "no such file" its meaning: not mounted, unless the anchor stands. */
  async function call<T>(
    verb: string,
    path: string,
    o: CallOptions | undefined,
    work: (what: string) => T | Promise<T>,
  ) {
    const what = `cannot ${verb} ${path ? inside(place, path) : place.location}`;
    throwIfCancelled(o?.signal, what);
    try {
      return await work(what);
    } catch (error) {
      if (o?.signal?.aborted) throw cancelled(what);
      if (errorCode(error) === 'ENOENT') assertMounted(place, what);
      throw fromSystemError(error, what, READING.has(verb) ? 'read' : 'write');
    }
  }

  /** `found`, or undefined once it is sure that the storage itself is there. */
  function orAbsent<T>(found: T | undefined, what: string): T | undefined {
    if (found === undefined) assertMounted(place, what);
    return found;
  }

  return {
    location: place.location,
    temp: place.temp,
    // A share costs the network to read; a mount point on Linux or macOS cannot be told from a disk, and counts as one.
    capabilities: { reads: root.startsWith('//') ? 'remote' : 'local' },

    create: async () => {
      const what = `cannot make a store at ${place.location}`;
      try {
        makeRoot(root, place.platform);
        makeTempFolder(place);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw fromSystemError(error, what);
        throw new DepotError('no-store', {
          what,
          why: 'the folder that should hold it does not exist',
          cure: 'mount the disk or share if it lies on one, or make that folder first, then try again',
          cause: error,
        });
      }
    },

    stat: (path, o) =>
      call('look at', path, o, async (what) => {
        const stats = orAbsent(await fileStatSoon(inside(place, path)), what);
        return stats && { path, size: Number(stats.size), version: versionOf(stats) };
      }),

    async *list(prefix, o) {
      const what = `cannot list ${inside(place, prefix)}`;
      try {
        assertMounted(place, what);
        yield* listFiles(place, prefix, o?.signal, what);
      } catch (error) {
        throw o?.signal?.aborted ? cancelled(what) : fromSystemError(error, what, 'read');
      }
    },

    put: (path: string, localFile: string, o: PutOptions) =>
      call('store', path, o, (what) => putFile(place, path, localFile, o, what)),

    get: (path, localFile, o) =>
      call('fetch', path, o, async (what) => orAbsent(await getFile(place, path, localFile, o, what), what)),

    digest: (path, o) => call('read', path, o, async (what) => orAbsent(await digestFile(place, path, o), what)),

    read: (path, o) => call('read', path, o, async (what) => orAbsent(await readFile(place, path, what), what)),

    write: (path, content, o) => call('write', path, o, (what) => writeFile(place, path, content, what)),

    remove: (path, o) => call('remove', path, o, (what) => removeFile(place, path, what)),

    sweep: (olderThan, o) => call('tidy', place.temp, o, (what) => sweepTemp(place, olderThan, what)),

    space: (o) =>
      call('look at', '', o, (what) => {
        assertMounted(place, what);
        const stats = statfsSync(root);
        return stats.bavail * stats.bsize;
      }),
  };
}

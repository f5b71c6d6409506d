import { normalize } from 'node:path';
import type { Backend, CallOptions, PutOptions } from '../backend.ts';
import { cancelled, DepotError, throwIfCancelled } from '../errors.ts';
import { errorCode, fromSystemError } from '../system-error.ts';
import { type Calls, callsFor, WAITING } from './calls.ts';
import { digestFile, getFile, readFile } from './download.ts';
import { makeRoot } from './modes.ts';
import { withPatience } from './patience.ts';
import { answered, assertMounted, fileStat, inside, looking, makeTempFolder, type Place, versionOf } from './place.ts';
import { listFiles, removeFile, sweepTemp } from './tidy.ts';
import { putFile, writeFile } from './upload.ts';

const READING = new Set(['look at', 'fetch', 'read']);

export interface FolderOptions {
  location: string;
  anchor: string;
  temp: string;
  platform: NodeJS.Platform;
  /** See Capabilities. Default `local`. */
  reads?: 'local' | 'remote';
  /** See Place. Default true. */
  durable?: boolean;
  /** Instead of finding out what fits the filesystem: for tests. */
  calls?: Calls;
}

/** A folder on a disk or on a mounted share. Touches nothing until a verb is called. */
export function openFolder(root: string, options: FolderOptions): Backend {
  const calls = options.calls ?? WAITING;
  const standing: Place = {
    root: normalize(root),
    ...options,
    durable: options.durable ?? true,
    calls,
    memory: {},
    lacks: new Set(),
    hopeless: new Set(),
  };
  let settled = options.calls !== undefined;

  /** As colleagues know it, wherever a share happens to be mounted here. */
  const named = (path: string): string =>
    path === '' ? standing.location : `${standing.location.replace(/\/$/, '')}/${path}`;

  /** Finds out once what kind of filesystem this is; again when the root was not there. */
  async function settle(): Promise<void> {
    if (settled) return;
    standing.calls = await callsFor(standing.root, standing.platform);
    settled = standing.calls.direct || (await standing.calls.stat(standing.root)) !== undefined;
  }

  /** Gives every failure its kind, and "no such file" its meaning: not mounted, unless the anchor stands. */
  async function call<T>(
    verb: string,
    path: string,
    o: CallOptions | undefined,
    work: (place: Place, what: string) => T | Promise<T>,
  ) {
    const what = `cannot ${verb} ${named(path)}`;
    throwIfCancelled(o?.signal, what);
    try {
      await settle();
      const done = await work(withPatience(standing, o?.signal), what);
      answered(standing);
      return done;
    } catch (error) {
      if (o?.signal?.aborted) throw cancelled(what);
      if (errorCode(error) === 'ENOENT') await assertMounted(standing, what);
      throw fromSystemError(error, what, READING.has(verb) ? 'read' : 'write');
    }
  }

  /** `found`, or undefined once it is sure that the storage itself is there. */
  async function orAbsent<T>(found: T | undefined, place: Place, what: string): Promise<T | undefined> {
    if (found === undefined) await assertMounted(place, what);
    return found;
  }

  return {
    location: standing.location,
    temp: standing.temp,
    capabilities: { reads: options.reads ?? 'local', resumes: false },

    create: async () => {
      const what = `cannot make a store at ${standing.location}`;
      try {
        await makeRoot(standing.calls, standing.root, standing.platform);
        await settle();
        await makeTempFolder(standing);
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
      call('look at', path, o, async (place, what) => {
        const seen = await fileStat(looking(place), inside(place, path));
        const stats = o?.beforePut ? seen : await orAbsent(seen, place, what);
        return stats && { path, size: Number(stats.size), version: versionOf(stats) };
      }),

    async *list(prefix, o) {
      const what = `cannot list ${named(prefix)}`;
      try {
        await settle();
        const place = withPatience(standing, o?.signal);
        await assertMounted(place, what);
        yield* listFiles(place, prefix, o?.signal, what);
      } catch (error) {
        throw o?.signal?.aborted ? cancelled(what) : fromSystemError(error, what, 'read');
      }
    },

    put: (path: string, localFile: string, o: PutOptions) =>
      call('store', path, o, (place, what) => putFile(place, path, localFile, o, what)),

    get: (path, localFile, o) =>
      call('fetch', path, o, async (place, what) =>
        orAbsent(await getFile(place, path, localFile, o, what), place, what),
      ),

    digest: (path, o) =>
      call('read', path, o, async (place, what) => orAbsent(await digestFile(place, path, o), place, what)),

    read: (path, o) =>
      call('read', path, o, async (place, what) => orAbsent(await readFile(place, path, what), place, what)),

    write: (path, content, o) => call('write', path, o, (place, what) => writeFile(place, path, content, what)),

    remove: (path, o) => call('remove', path, o, (place, what) => removeFile(place, path, what)),

    sweep: (olderThan, o) => call('tidy', standing.temp, o, (place, what) => sweepTemp(place, olderThan, what)),

    space: (o) =>
      call('look at', '', o, async (place, what) => {
        await assertMounted(place, what);
        const { statfs } = await import('node:fs/promises');
        const stats = await statfs(place.root);
        return stats.bavail * stats.bsize;
      }),

    // Whatever a folder lacks (links, clones) is noticed on the way.
    examine: async () => ({}),
    assume: () => {},
  };
}

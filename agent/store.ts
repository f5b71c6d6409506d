import type { Backend, CallOptions, Entry, GetOptions } from '../backends/backend.ts';
import { DepotError, isKind } from '../backends/errors.ts';
import { objectPath, oidAt } from './layout.ts';
import type { Oid } from './oid.ts';
import { trace } from './trace.ts';

/** LFS objects, wherever they are kept: what a transfer needs to know of it. */
export interface Objects {
  /** For messages. */
  readonly location: string;
  /** Whether a `get` that broke off can be taken up where it stopped: see GetOptions. */
  readonly resumes: boolean;
  /** Resolves once the object is kept, whole and right. */
  put(oid: Oid, size: number, localFile: string, options?: StoreCall): Promise<Kept>;
  /**
   * Copies the object to a new local file; where it `resumes`, that may hold what an earlier call left.
   * @throws DepotError `absent` or `corrupt`.
   */
  get(oid: Oid, size: number, localFile: string, options?: FetchCall): Promise<void>;
}

export interface FetchCall extends CallOptions, Pick<GetOptions, 'resume'> {
  /**
   * Whoever asks hashes the file himself. It is hashed here all the same where there is a second place to get it from, or where
   * a copy of it is kept.
   */
  unhashed?: boolean;
}

/** What became of a `put`: `spooled` is kept on this computer, for later. */
export type Kept = 'stored' | 'present' | 'healed' | 'spooled';

export interface StoreCall extends CallOptions {
  /** What is there already is read back and hashed, whatever `depot.verify` says. */
  suspect?: boolean;
}

/** LFS objects over a backend. What stands at a location and how it is opened: marker.ts and git-objects.ts. */
export interface Store extends Objects {
  /** Tells it from other stores, whatever they are called; undefined for the objects of a repository. */
  readonly id: string | undefined;
  readonly backend: Backend;
  stat(oid: Oid, options?: CallOptions): Promise<Entry | undefined>;
  list(options?: CallOptions): AsyncIterable<{ oid: Oid; size: number }>;
}

export interface StoreOptions {
  /** See Store. */
  id?: string;
  /** The folder of the objects relative to the backend's root; '' for the root itself. */
  objects: string;
  /**
   * How an object that is there already is judged before a push passes it over: by its `size`, or by its `content`,
   * read back and hashed.
   */
  verify: 'size' | 'content';
}

/**
 * After so many objects in a row that a remote store did not have, small ones are sent without a look, which takes as long as
 * sending them: a put leaves alone what is there, and then it is looked at.
 */
const MISSING = 2;
/** Bytes up to which that is done. */
const GUESSED = 64 * 1024;

/** Temp files of killed writers are removed when they are older: longer than any upload takes, in milliseconds. */
export const STALE = 24 * 60 * 60 * 1000;

export function storeOver(backend: Backend, options: StoreOptions): Store {
  const prefix = options.objects === '' ? '' : `${options.objects}/`;
  const pathOf = (oid: Oid): string => prefix + objectPath(oid);
  let swept = false;
  /** Objects in a row that were not there. */
  let missing = 0;

  async function isRight(found: Entry, oid: Oid, size: number, call: StoreCall): Promise<boolean> {
    if (found.size !== size) return false;
    if (options.verify === 'size' && !call.suspect) return true;
    return (await backend.digest(found.path, { signal: call.signal, onProgress: call.onProgress })) === oid;
  }

  /**
   * A second writer may publish between the look and the put; then theirs is judged, a few times over. What was judged
   * wrong is replaced only if it still is that same version.
   */
  async function put(oid: Oid, size: number, localFile: string, call: StoreCall = {}): Promise<Kept> {
    const path = pathOf(oid);
    const { signal, onProgress } = call;
    for (let tries = 0; tries < 3; tries++) {
      const guess = tries === 0 && missing >= MISSING && size <= GUESSED && backend.capabilities.reads === 'remote';
      const found = guess ? undefined : await backend.stat(path, { signal, beforePut: true });
      missing = found ? 0 : missing + 1;
      if (found && (await isRight(found, oid, size, call))) return 'present';
      if (!swept) {
        const sweeping = sweep(call);
        if (backend.capabilities.reads === 'local') await sweeping;
        // Far away it takes a while that the first object need not wait for.
        else sweeping.catch(() => {});
      }
      const outcome = await backend.put(path, localFile, {
        signal,
        onProgress,
        size,
        sha256: oid,
        replace: found?.version,
      });
      if (outcome === 'exists') {
        missing = 0;
        continue;
      }
      if (!found) return 'stored';
      trace(`healed ${oid} in ${backend.location}: the one that was there, of ${found.size} bytes, was damaged`);
      return 'healed';
    }
    throw new DepotError('conflict', {
      what: `cannot store ${oid} in ${backend.location}`,
      why: `something that is not the object stands at ${backend.location}/${path}, or keeps being written there`,
      cure: 'look at that place: remove what is not an LFS object, stop what writes it, and push again',
      temporary: true,
    });
  }

  /** Housekeeping must not fail a push. */
  async function sweep(call: CallOptions): Promise<void> {
    swept = true;
    try {
      await backend.sweep(STALE, { signal: call.signal });
    } catch (error) {
      if (isKind(error, 'cancelled')) throw error;
      trace(`old temp files in ${backend.location} were not removed: ${error}`);
    }
  }

  async function get(oid: Oid, size: number, localFile: string, { unhashed, ...call }: FetchCall = {}): Promise<void> {
    const what = `cannot fetch ${oid} from ${backend.location}`;
    const push = `git lfs push --object-id origin ${oid}`;
    let fetched: number | undefined;
    try {
      fetched = await backend.get(pathOf(oid), localFile, {
        ...call,
        expect: { size, sha256: unhashed ? undefined : oid },
      });
    } catch (error) {
      if (!isKind(error, 'corrupt')) throw error;
      // Judged by its size, a damaged object of the right size would be left alone.
      const judging = options.verify === 'size' ? push.replace('git', 'git -c depot.verify=content') : push;
      const cure = `whoever has a good copy runs: ${judging}`;
      throw new DepotError('corrupt', { what, why: error.why, cure, cause: error });
    }
    if (fetched !== undefined) return;
    const why = 'the store does not have it: whoever committed it has not pushed it, or pushed it elsewhere';
    throw new DepotError('absent', { what, why, cure: `whoever has the file runs: ${push}` });
  }

  async function* list(call: CallOptions = {}) {
    for await (const entry of backend.list(options.objects, call)) {
      const oid = oidAt(entry.path.slice(prefix.length));
      if (oid) yield { oid, size: entry.size };
    }
  }

  return {
    location: backend.location,
    id: options.id,
    resumes: backend.capabilities.resumes,
    backend,
    put,
    get,
    list,
    stat: (oid, call) => backend.stat(pathOf(oid), call),
  };
}

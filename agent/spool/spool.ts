import { createHash } from 'node:crypto';
import { open, readdir, readFile, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CallOptions } from '../../backends/backend.ts';
import { DepotError, isKind } from '../../backends/errors.ts';
import { WAITING } from '../../backends/folder/calls.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { makeRoot } from '../../backends/folder/modes.ts';
import { locationKey, parseLocation } from '../../backends/location.ts';
import { errorCode, fromSystemError } from '../../backends/system-error.ts';
import type { Endpoint } from '../endpoint.ts';
import { objectPath } from '../layout.ts';
import type { Oid } from '../oid.ts';
import { surroundings } from '../open-store.ts';
import { STALE, type Store, type StoreCall, storeOver } from '../store.ts';
import { trace } from '../trace.ts';
import { spoolsFolder } from './folder.ts';

/**
 * Objects that wait on this computer for a place that is out of reach: a folder in the git folder, one for each place, used
 * by all worktrees and processes of the clone. It holds copies of its own: `git lfs prune` removes from `lfs/objects` what
 * git believes to be pushed. Not hard links either, because then whatever changed the one file would change the only copy;
 * where the filesystem lets files share blocks, a copy costs nothing.
 */
export interface Spool {
  readonly folder: string;
  /** Where its objects belong: formatLocation of that place. */
  readonly location: string;
  /** What that is: see Endpoint. */
  readonly kind: Endpoint['kind'];
  /** Why its place is not known, where the note of it is lost. Its objects wait all the same. */
  readonly lost?: DepotError | undefined;
  /** Makes its folder, which `put` does too. */
  prepare(): Promise<void>;
  /** Keeps the object as a store does: hashed, on the disk, whole or not at all. */
  put(oid: Oid, size: number, localFile: string, options?: StoreCall): Promise<'spooled' | 'present'>;
  /** Copies it to a new local file, hashed; false when it is not here, or cannot be used: traced, and left for `sync` to tell. */
  get(oid: Oid, size: number, localFile: string, options?: CallOptions): Promise<boolean>;
  has(oid: Oid): Promise<boolean>;
  /** In no order. `since` is when it was put here. */
  list(): AsyncIterable<Waiting>;
  /** Cheaper than a list: whether there is anything in it. */
  isEmpty(): Promise<boolean>;
  /** The file of an object, to be delivered from. */
  fileOf(oid: Oid): string;
  /** Once it is delivered. Fine when it is gone already. */
  drop(oid: Oid): Promise<void>;
  /** Removes what killed processes left: temp files that are a day old, and empty folders. */
  tidy(): Promise<void>;
}

export interface Waiting {
  oid: Oid;
  /** Bytes of the file. */
  size: number;
  since: Date;
}

/** The file with the text of the location, and its kind on a second line: what says that the folder is a spool. */
const LOCATION = 'location';

/** The spool for the place at `location`, in any of its spellings. Touches nothing. */
export function spoolFor(commonDir: string, location: string, kind: Endpoint['kind'] = 'store'): Spool {
  const around = surroundings();
  const name = locationKey(parseLocation(location, around), around.platform);
  const key = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return spoolIn(join(spoolsFolder(commonDir), key), { location, kind });
}

/** Those that hold objects. */
export async function spoolsIn(commonDir: string): Promise<Spool[]> {
  const parent = spoolsFolder(commonDir);
  const found: Spool[] = [];
  for (const name of (await namesIn(parent)).sort()) {
    const folder = join(parent, name);
    const spool = spoolIn(folder, await readNote(join(folder, LOCATION)));
    if (!(await spool.isEmpty())) found.push(spool);
  }
  return found;
}

type Note = Pick<Spool, 'location' | 'kind' | 'lost'>;

/** Without it the objects still wait, and must not be passed over in silence. */
async function readNote(file: string): Promise<Note> {
  let why = 'is empty';
  try {
    const [location = '', kind = ''] = (await readFile(file, 'utf8')).split('\n');
    if (location !== '') return { location, kind: kind === 'repository' || kind === 'either' ? kind : 'store' };
  } catch (error) {
    why = `cannot be read (${errorCode(error)})`;
  }
  const lost = new DepotError('configuration', {
    what: 'cannot tell where it belongs',
    why: `${file} ${why}`,
    cure: 'write the location of that store into it, as one line',
  });
  return { location: `an unknown place: ${file} ${why}`, kind: 'store', lost };
}

function spoolIn(folder: string, { location, kind, lost }: Note): Spool {
  let opening: Store | undefined;
  let making: Promise<void> | undefined;
  const fileOf = (oid: Oid): string => join(folder, objectPath(oid));
  const store = (): Store => {
    opening ??= storeOver(
      openFolder(folder, { location: folder, anchor: lost ? '.' : LOCATION, temp: 'tmp', platform: process.platform }),
      {
        objects: '',
        verify: 'content',
      },
    );
    return opening;
  };

  async function make(): Promise<void> {
    const { backend } = store();
    await makeParents(dirname(folder));
    await backend.create();
    await backend.write(LOCATION, Buffer.from(`${location}\n${kind}\n`));
    for (const path of [folder, dirname(folder), dirname(dirname(folder))]) await syncFolder(path);
  }

  function prepare(): Promise<void> {
    making ??= make();
    return making;
  }

  /** The folders of objects: `aa`. */
  async function outerFolders(): Promise<string[]> {
    const names = (await namesIn(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name));
    return names.map((name) => join(folder, name));
  }

  async function isEmpty(): Promise<boolean> {
    return (await outerFolders()).length === 0;
  }

  async function has(oid: Oid): Promise<boolean> {
    return (await stat(fileOf(oid)).catch(() => undefined))?.isFile() === true;
  }

  return {
    folder,
    location,
    kind,
    lost,
    fileOf,
    has,
    prepare,

    async put(oid, size, localFile, options) {
      const keep = async (): Promise<'spooled' | 'present'> => {
        await prepare();
        return (await store().put(oid, size, localFile, options)) === 'present' ? 'present' : 'spooled';
      };
      try {
        return await keep().catch((error) => {
          making = undefined;
          // Somebody removed it, since it was made.
          if (isKind(error, 'no-store')) return keep();
          throw error;
        });
      } catch (error) {
        throw notKept(error, oid, folder, location);
      }
    },

    async get(oid, size, localFile, options) {
      if (!(await has(oid))) return false;
      try {
        await store().get(oid, size, localFile, options);
        return true;
      } catch (error) {
        if (isKind(error, 'cancelled', 'no-space')) throw error;
        if (!isKind(error, 'absent')) trace(`${fileOf(oid)} is not used: ${error}`);
        return false;
      }
    },

    async *list() {
      if (await isEmpty()) return;
      for await (const { oid, size } of store().list()) {
        const stats = await stat(fileOf(oid)).catch(() => undefined);
        if (stats) yield { oid, size, since: stats.mtime };
      }
    },

    isEmpty,

    async drop(oid) {
      if (!(await has(oid))) return;
      await store().backend.remove(objectPath(oid));
      const inner = dirname(fileOf(oid));
      // Empty folders would look like objects to `isEmpty`. Who is about to put something there makes them again.
      for (const path of [inner, dirname(inner)]) await rmdir(path).catch(() => {});
    },

    async tidy() {
      await store().backend.sweep(STALE);
      for (const outer of await outerFolders()) {
        for (const inner of await namesIn(outer)) await rmdir(join(outer, inner)).catch(() => {});
        await rmdir(outer).catch(() => {});
      }
    },
  };
}

/** In a repository that a group shares, the group's. */
async function makeParents(folder: string): Promise<void> {
  for (const path of [dirname(folder), folder]) await makeRoot(WAITING, path, process.platform);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw fromSystemError(error, `cannot look at ${folder}, on this computer`, 'read');
  }
}

/** The names of new folders survive a loss of power, too. Windows cannot sync a folder, and writes names through. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** That the place is out of reach is known; what matters now is why the object could not be kept here either. */
function notKept(error: unknown, oid: Oid, folder: string, location: string): unknown {
  if (isKind(error, 'cancelled', 'corrupt')) return error;
  const what = `cannot keep ${oid} on this computer, for ${location}`;
  const { kind, why, temporary, cure } = fromSystemError(error, what);
  const cures: Partial<Record<DepotError['kind'], string>> = {
    'no-space': 'make room on the disk of this clone, then push again; what was kept before is kept',
    denied: `let yourself write to ${folder}, then push again`,
  };
  return new DepotError(kind, { what, why, temporary, cure: cures[kind] ?? cure, cause: error });
}

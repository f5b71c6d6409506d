import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DepotError } from '../../backends/errors.ts';
import { objectPath } from '../layout.ts';
import { objectsFolderOf } from '../lfs-storage.ts';
import type { Oid } from '../oid.ts';
import { type OfflineMode, offlineMode } from '../places/offline.ts';
import { type Spool, spoolsIn } from '../places/spool.ts';
import { type Pointer, type Pointers, pathsIn, pointersIn } from '../pointers.ts';
import { type Answer, type Asked, ask, refusedToAsk } from './asked.ts';
import { type Found, findPlaces, isKnownToClones } from './found.ts';
import { pushedRevisions } from './pushed.ts';
import { type Revisions, revisionsOf } from './revisions.ts';

/** Where the objects of a history are, as far as it can be told from here. */
export interface Status {
  found: Found;
  offline: OfflineMode;
  revisions: Revisions;
  pointers: Pointers;
  store: Asked;
  /** None with `brief`, unless they matter. */
  mirrors: Asked[];
  /** What the store has not, or cannot be asked about. */
  missing: Missing[];
  /** What is not in as many places as it must be (see WriteRule). */
  short: Missing[];
  clone: Clone;
  spools: Waiting[];
}

export interface Missing extends Pointer {
  /** What the store says of it. */
  answer: Answer;
  /** Where it can be had from; `clone`: git-lfs's own objects here; `nowhere` that can be seen from here. */
  where: 'spool' | 'store' | 'mirror' | 'clone' | 'nowhere';
}

/** What a clone of the tips would lack. */
export interface Clone {
  misses: Pointer[];
  /** No place that answers has it; some place does not answer. */
  untold: Pointer[];
  /** Tips whose files are not all known here. */
  unread: number;
}

/** What waits in one spool. */
export interface Waiting {
  location: string;
  objects: number;
  bytes: number;
  /** When the first was put there. */
  since: Date;
}

export interface StatusOptions {
  refs: string[];
  all: boolean;
  /** Instead of those: what git told a pre-push hook. */
  pushed?: string | undefined;
  /** Only what is needed to find `short`. */
  brief: boolean;
  /** Told what is being done: long histories take a while. */
  tell: (doing: string, done: number, of?: number) => void;
}

/** @throws DepotError `configuration` where there is no repository, no store is named, or a ref is not known. */
export async function statusOf({ refs, all, pushed, brief, tell }: StatusOptions): Promise<Status> {
  const found = await findPlaces();
  const { cwd, repository, config, primary, forbidden, rule } = found;
  const offline = offlineMode(config);
  const revisions = await (pushed === undefined ? revisionsOf(cwd, refs, all) : pushedRevisions(cwd, pushed));
  let seen = 0;
  const pointers = await pointersIn(cwd, revisions.commits, () => tell('looking at the history', ++seen));
  const objects = pointers.objects;

  const askAll = (place: Found['primary'], about: Pointer[]): Promise<Asked> => {
    let done = 0;
    return ask(place, about, () => tell(`asking ${place.name}`, ++done, about.length));
  };
  const everything = [...objects.values()];
  const store = forbidden ? refusedToAsk(primary, forbidden) : await askAll(primary, everything);
  const notThere = everything.filter(({ oid }) => store.answer(oid) !== 'there');
  // What a mirror has is of no matter to a check of the store alone, except to say where something is.
  const matters = brief && rule.quorum === undefined ? notThere : everything;
  const mirrors: Asked[] = [];
  if (!brief || matters.length > 0) for (const mirror of found.mirrors) mirrors.push(await askAll(mirror, matters));

  const spools = await spoolsIn(repository.commonDir);
  const waiting = await oidsIn(spools);
  const folder = objectsFolderOf(repository, config);
  const locateObject = (pointer: Pointer): Missing => ({
    ...pointer,
    answer: store.answer(pointer.oid),
    where: whereIs(pointer, { waiting, store, mirrors, folder }),
  });
  const missing = notThere.map(locateObject);
  const { quorum } = rule;
  const copies = (oid: Oid): number => [store, ...mirrors].filter(({ answer }) => answer(oid) === 'there').length;
  const places = [store, ...mirrors.filter(({ place }) => isKnownToClones(place, config))];
  // Copies that no clone knows of are copies, and of no use to it.
  const isShort = ({ oid }: Pointer): boolean =>
    copies(oid) < (quorum ?? 0) || !places.some(({ answer }) => answer(oid) === 'there');
  const short = quorum === undefined ? missing : everything.filter(isShort).map(locateObject);
  const clone = brief ? { misses: [], untold: [], unread: 0 } : await cloneOf(cwd, revisions, pointers, places);
  return {
    found,
    offline,
    revisions,
    pointers,
    store,
    mirrors,
    missing,
    short,
    clone,
    spools: brief ? [] : await Promise.all(spools.map(waitingIn)),
  };
}

interface Elsewhere {
  waiting: Set<Oid>;
  store: Asked;
  mirrors: Asked[];
  /** git-lfs's own objects here. */
  folder: string;
}

function whereIs({ oid, size }: Pointer, { waiting, store, mirrors, folder }: Elsewhere): Missing['where'] {
  if (waiting.has(oid)) return 'spool';
  if (store.answer(oid) === 'there') return 'store';
  if (mirrors.some(({ answer }) => answer(oid) === 'there')) return 'mirror';
  const here = statSync(join(folder, objectPath(oid)), { throwIfNoEntry: false });
  return here?.isFile() && here.size === size ? 'clone' : 'nowhere';
}

async function cloneOf(cwd: string, { tips }: Revisions, { blobs }: Pointers, places: Asked[]): Promise<Clone> {
  const misses = new Map<string, Pointer>();
  const untold = new Map<string, Pointer>();
  let unread = 0;
  for (const tip of tips) {
    try {
      for await (const pointer of pathsIn(cwd, tip, blobs)) {
        const answers = places.map(({ answer }) => answer(pointer.oid));
        if (answers.includes('there')) continue;
        (answers.includes('untold') ? untold : misses).set(`${pointer.oid} ${pointer.path}`, pointer);
      }
    } catch (error) {
      if (!(error instanceof DepotError)) throw error;
      unread++;
    }
  }
  return { misses: [...misses.values()], untold: [...untold.values()], unread };
}

/** For whatever place: what waits here can be fetched here, and brought anywhere. */
async function oidsIn(spools: Spool[]): Promise<Set<Oid>> {
  const oids = new Set<Oid>();
  for (const spool of spools) for await (const { oid } of spool.list()) oids.add(oid);
  return oids;
}

async function waitingIn(spool: Spool): Promise<Waiting> {
  const waiting: Waiting = { location: spool.location, objects: 0, bytes: 0, since: new Date() };
  for await (const { size, since } of spool.list()) {
    waiting.objects++;
    waiting.bytes += size;
    if (since < waiting.since) waiting.since = since;
  }
  return waiting;
}

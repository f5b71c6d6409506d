import { statSync } from 'node:fs';
import { join } from 'node:path';
import { objectPath } from '../layout.ts';
import { objectsFolderOf } from '../lfs-storage.ts';
import type { Oid } from '../oid.ts';
import { type Pointer, type Pointers, pointersIn } from '../pointers.ts';
import { type Backlog, backlogOf } from '../spool/backlog.ts';
import { type OfflineMode, offlineMode } from '../spool/offline.ts';
import { type Spool, spoolsIn } from '../spool/spool.ts';
import { type Answer, type Asked, askerOf, refusedToAsk } from './asked.ts';
import { type Found, findPlaces } from './found.ts';
import { askSources, type Clone, cloneOf, type Known, together } from './fresh-clone.ts';
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
  /** What the store has not, or cannot be asked about. None with `brief`. */
  missing: Missing[];
  /** What clones do not find in the store that they know, or what is in fewer places than it must be (see WriteRule). */
  short: Missing[];
  known: Known[];
  clone: Clone;
  spools: Backlog[];
}

export interface Missing extends Pointer {
  /** What the store says of it; of what is `short`, that of clones. */
  answer: Answer;
  /**
   * Where it can be had from; `private`: this clone's store, which is not that of other clones; `clone`: git-lfs's own
   * objects here; `damaged`: only so; `nowhere` that can be seen from here.
   */
  where: 'spool' | 'store' | 'private' | 'mirror' | 'clone' | 'damaged' | 'nowhere';
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
  const { cwd, repository, config, primary, forbidden } = found;
  const { quorum } = found.rule;
  const offline = offlineMode(config);
  const revisions = await (pushed === undefined ? revisionsOf(cwd, refs, all) : pushedRevisions(cwd, pushed));
  let seen = 0;
  const pointers = await pointersIn(cwd, revisions.commits, () => tell('looking at the history', ++seen));

  const everything = [...pointers.objects.values()];
  const ask = askerOf(everything, tell);
  const store = forbidden ? refusedToAsk(primary, forbidden) : await ask(primary);
  const notThere = everything.filter(({ oid }) => store.answer(oid) !== 'there');
  // What a mirror has is of no matter to a check of the store alone, except to say where something is.
  const withMirrors = !brief || quorum !== undefined;
  const matters = withMirrors ? everything : notThere;
  const mirrors: Asked[] = [];
  if (!brief || matters.length > 0) for (const mirror of found.mirrors) mirrors.push(await ask(mirror, matters));
  const known = await askSources(found, revisions, ask, withMirrors);

  const spools = await spoolsIn(repository.commonDir);
  const elsewhere: Elsewhere = {
    waiting: await oidsIn(spools),
    store,
    mirrors,
    folder: objectsFolderOf(repository, config),
  };
  const missing = (brief ? [] : notThere).map((pointer) => ({
    ...pointer,
    answer: store.answer(pointer.oid),
    where: whereIs(pointer, elsewhere),
  }));
  const shortOf = (pointer: Pointer): Missing[] => {
    const { oid } = pointer;
    const answer = together(known.map(({ ofStore, ofAny }) => (quorum === undefined ? ofStore : ofAny)(oid)));
    if (answer === 'there' && (quorum === undefined || copiesOf(oid, [store, ...mirrors]) >= quorum)) return [];
    const where = whereIs(pointer, elsewhere);
    // Copies that no clone knows of are copies, and of no use to it.
    if (answer !== 'there') return [{ ...pointer, answer, where: where === 'store' ? 'private' : where }];
    return [{ ...pointer, answer: store.answer(oid), where }];
  };
  return {
    found,
    offline,
    revisions,
    pointers,
    store,
    mirrors,
    missing,
    short: everything.flatMap(shortOf),
    known,
    clone: brief ? { misses: [], untold: [], unread: 0 } : await cloneOf(cwd, revisions, pointers, known),
    spools: brief ? [] : await Promise.all(spools.map(backlogOf)),
  };
}

/** One store by two names is one copy. */
function copiesOf(oid: Oid, places: Asked[]): number {
  const having = places.filter(({ answer }) => answer(oid) === 'there');
  return new Set(having.map(({ id, place }) => id ?? place.name)).size;
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
  if (here?.isFile() && here.size === size) return 'clone';
  return [store, ...mirrors].some(({ answer }) => answer(oid) === 'damaged') ? 'damaged' : 'nowhere';
}

/** For whatever place: what waits here can be fetched here, and brought anywhere. */
async function oidsIn(spools: Spool[]): Promise<Set<Oid>> {
  const oids = new Set<Oid>();
  for (const spool of spools) for await (const { oid } of spool.list()) oids.add(oid);
  return oids;
}

import { DepotError, isKind, printable } from '../../backends/errors.ts';
import { parseLocation } from '../../backends/location.ts';
import { type Config, readConfig } from '../config.ts';
import { defaultEndpoint } from '../default-remote.ts';
import { findRepository, type Repository } from '../git.ts';
import { objectsFolderOf, tempFolderOf } from '../lfs-storage.ts';
import type { Oid } from '../oid.ts';
import { openEndpoint, surroundings } from '../open-store.ts';
import { type CaughtUp, catchUp } from '../places/catch-up.ts';
import { type Everything, everythingIn } from '../places/everything.ts';
import { inPlaces } from '../places/objects.ts';
import { type Places, placesOf } from '../places/places.ts';
import { type Delivery, deliver } from '../spool/deliver.ts';
import { offlineMode } from '../spool/offline.ts';
import { rescue } from '../spool/rescue.ts';
import { type Spool, spoolFor, spoolsIn } from '../spool/spool.ts';
import type { Objects } from '../store.ts';
import { assertTrusted } from '../trust.ts';
import { type Meter, meterOn } from './meter.ts';
import { stopOnInterrupt } from './stop-on-interrupt.ts';
import { tellDelivery, tellNowhere, tellPlace, tellTrouble } from './sync-words.ts';

export interface SyncOptions {
  /** All objects that the places hold, those of other repositories too. */
  all: boolean;
  json: boolean;
}

type Print = (line: string) => void;

/**
 * Delivers what waits on this computer, then brings every place what it lacks of the objects of this repository. Safe to be
 * run twice, by several at once, and to be stopped. Resolves to whether nothing is left to do.
 */
export function sync(options: SyncOptions, print: Print): Promise<boolean> {
  return stopOnInterrupt('cannot finish the sync', (signal) => syncUntil(signal, options, print));
}

async function syncUntil(signal: AbortSignal, { all, json }: SyncOptions, print: Print): Promise<boolean> {
  const cwd = process.cwd();
  const repository = await findRepository(cwd);
  const config = await readConfig(cwd, repository);
  const tell: Print = json ? () => {} : print;
  const meter = meterOn(process.stderr, json);
  const context: Context = { repository, config, signal, tell, meter };

  // Mistakes in settings are told before anything is done.
  const mode = offlineMode(config);
  const spools = await spoolsIn(repository.commonDir);
  const { places, why } = await placesHere(context);
  if (!places && (spools.length === 0 || !isKind(why, 'configuration', 'untrusted'))) throw why;
  if (spools.length > 0) void places?.rule;
  if (spools.length === 0) tell('Nothing waits on this computer.');
  const deliveries: Delivered[] = [];
  for (const spool of spools) deliveries.push(await deliverOne(spool, places, context));
  const caughtUp = places && places.mirrors.length > 0 ? await catchUpAll(places, spools, all, context) : undefined;
  if (isKind(why, 'untrusted')) tellTrouble('The store of this repository is not used', why, tell);
  const refused = places?.refused ?? [];
  for (const { text, error } of refused) tellTrouble(`The mirror ${printable(text)} is not used`, error, tell);
  if (all && places && places.mirrors.length + refused.length === 0) {
    tell('There is no mirror to bring anything to: lfs-depot mirror add <location> makes one.');
  }
  if (mode === 'on') {
    tell('Offline mode is still on: pushes stay on this computer until `lfs-depot offline off`.');
  }
  if (json) print(JSON.stringify(forPrograms(deliveries, caughtUp, refused, why), null, 2));
  return (
    deliveries.every(({ error, result }) => !error && result?.failed.length === 0 && result.untried === 0) &&
    (caughtUp?.places ?? []).every(({ trouble, failed }) => !trouble && failed.length === 0) &&
    (caughtUp?.nowhere.length ?? 0) === 0 &&
    (caughtUp?.unlisted.length ?? 0) === 0 &&
    refused.length === 0 &&
    !isKind(why, 'untrusted')
  );
}

interface Context {
  repository: Repository;
  config: Config;
  signal: AbortSignal;
  tell: Print;
  meter: Meter;
}

/** What waits may belong to another place: then it may be no error that this repository names none that can be used. */
async function placesHere({ config, repository }: Context): Promise<{ places?: Places; why?: unknown }> {
  try {
    const endpoint = await defaultEndpoint(process.cwd(), config);
    return { places: placesOf(endpoint, config, repository.worktree ?? process.cwd()) };
  } catch (why) {
    return { why };
  }
}

interface Delivered {
  spool: Spool;
  result?: Delivery;
  /** Its place could not even be opened. */
  error?: DepotError;
}

async function deliverOne(spool: Spool, places: Places | undefined, context: Context): Promise<Delivered> {
  const { tell, signal, meter, repository } = context;
  const here = places && isFor(places, spool, repository) ? places : undefined;
  const quorum = here?.rule.quorum;
  const to =
    quorum === undefined
      ? printable(here?.primary.name ?? spool.location)
      : `${quorum} place${quorum === 1 ? '' : 's'} (depot.quorum)`;
  let done = 0;
  const onDelivered = (): void => meter.tell(`Delivering to ${to}`, ++done);
  try {
    const objects = here ? inPlaces(here, (_, text) => tell(text)) : await objectsAt(spool, context);
    const result = await deliver(spool, objects, { signal, onDelivered }).finally(meter.clear);
    await rescueAll(spool, objects, result, context);
    tellDelivery(to, result, tell);
    if (!here && places && result.delivered + result.present > 0) tellMoved(places, tell);
    return { spool, result };
  } catch (error) {
    if (!(error instanceof DepotError) || error.kind === 'cancelled') throw error;
    tellTrouble(`What waits here for ${to} stays here`, error, tell);
    if (!here && places) {
      tellMoved(places, tell);
      const gone = spool.lost ? '' : `, and ${to} is gone for good`;
      tell(`    When they are there${gone}, remove ${spool.folder}`);
    }
    return { spool, error };
  }
}

/** Whether what waits in it is for the store of this repository, in whatever spelling. */
function isFor({ primary }: Places, { folder }: Spool, { commonDir }: Repository): boolean {
  return spoolFor(commonDir, primary.name).folder === folder;
}

/** Not done unasked: of two stores of a repository, one may be closed to those who read the other. */
function tellMoved({ primary }: Places, tell: Print): void {
  tell(`    This repository keeps its objects in ${primary.name} now. To have them there too:`);
  tell('    → git lfs fetch --all && git lfs push --all origin');
}

/** What waits damaged is no trouble where a good copy is at hand. */
async function rescueAll(spool: Spool, objects: Objects, result: Delivery, context: Context): Promise<void> {
  const { repository, config, signal } = context;
  const damaged = result.failed.filter(({ error }) => error.kind === 'corrupt');
  if (damaged.length === 0) return;
  const known = await objectsOfHistory();
  const folders = { objectsFolder: objectsFolderOf(repository, config), tempFolder: tempFolderOf(repository, config) };
  for (const failure of damaged) {
    const size = known.get(failure.oid)?.size;
    if (size === undefined || !(await rescue(failure.oid, spool, objects, { ...folders, size, signal }))) continue;
    result.failed.splice(result.failed.indexOf(failure), 1);
    result.present++;
  }
}

/**
 * A place that this repository does not name, or no longer. As ever, an own folder that is a remote needs no trust.
 * @throws DepotError `untrusted`; `configuration` where it is not known.
 */
async function objectsAt({ location: text, kind, lost }: Spool, { config }: Context): Promise<Objects> {
  if (lost) throw lost;
  const location = parseLocation(text, surroundings());
  const isOpenToGit = kind === 'repository' && location.kind === 'folder';
  if (!isOpenToGit) assertTrusted(location, 'what waits on this computer', config, surroundings());
  return (await openEndpoint(kind, location, config)).store;
}

interface CaughtUpAll {
  /** How many objects there should be. */
  count: number;
  places: CaughtUp[];
  nowhere: Oid[];
  unlisted: Everything['unlisted'];
}

async function catchUpAll(places: Places, spools: Spool[], all: boolean, context: Context): Promise<CaughtUpAll> {
  const { repository, config, signal, tell, meter } = context;
  const everywhere = [places.primary, ...places.mirrors];
  const tempFolder = tempFolderOf(repository, config);
  const ofHistory = await objectsOfHistory();
  const there = all ? await everythingIn(everywhere, { tempFolder, signal }) : undefined;
  // Git knows the sizes, whatever a place says.
  const objects = new Map<Oid, Wanted>([...(there?.objects ?? []), ...ofHistory]);
  let done = 0;
  const result = await catchUp(objects.values(), everywhere, {
    objectsFolder: objectsFolderOf(repository, config),
    tempFolder,
    spools: spools.filter((spool) => isFor(places, spool, repository)),
    signal,
    onObject: () => meter.tell('Comparing places', ++done, objects.size),
  }).finally(meter.clear);

  for (const caughtUp of result.places) tellPlace(caughtUp, objects.size, result.nowhere.length, tell);
  const unlisted = there?.unlisted ?? [];
  for (const { place, error } of unlisted) tellTrouble(`Not all that ${place.name} holds could be seen`, error, tell);
  tellNowhere(
    result.nowhere.map((oid) => objects.get(oid)).filter((object) => object !== undefined),
    tell,
  );
  return { ...result, count: objects.size, unlisted };
}

interface Wanted {
  oid: Oid;
  size: number;
  path?: string;
}

async function objectsOfHistory(): Promise<Map<Oid, Wanted>> {
  const [{ pointersIn }, { revisionsOf }] = await Promise.all([
    import('../pointers.ts'),
    import('../status/revisions.ts'),
  ]);
  const cwd = process.cwd();
  const { commits } = await revisionsOf(cwd, [], true);
  return (await pointersIn(cwd, commits)).objects;
}

function forPrograms(
  deliveries: Delivered[],
  caughtUp: CaughtUpAll | undefined,
  refused: Places['refused'],
  why: unknown,
) {
  const failures = (failed: { oid: string; error: DepotError }[]) =>
    failed.map(({ oid, error }) => ({ oid, error: error.message }));
  return {
    deliveries: deliveries.map(({ spool, result, error }) => ({
      location: spool.location,
      ...(result && { ...result, failed: failures(result.failed) }),
      ...(error && { error: error.message }),
    })),
    objects: caughtUp?.count ?? 0,
    places: (caughtUp?.places ?? []).map(({ place, brought, bytes, failed, trouble }) => ({
      location: place.name,
      role: place.role,
      brought,
      bytes,
      failed: failures(failed),
      ...(trouble && { error: trouble.message }),
    })),
    nowhere: caughtUp?.nowhere ?? [],
    unlisted: (caughtUp?.unlisted ?? []).map(({ place, error }) => ({ location: place.name, error: error.message })),
    refused: refused.map(({ text, error }) => ({ location: text, error: error.message })),
    // The store of this repository itself is not used.
    ...(isKind(why, 'untrusted') && { error: why.message }),
  };
}

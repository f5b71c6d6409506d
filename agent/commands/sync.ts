import { DepotError, isKind, printable } from '../../backends/errors.ts';
import { parseLocation } from '../../backends/location.ts';
import { type Config, readConfig } from '../config.ts';
import { findEndpoint } from '../endpoint.ts';
import { findRepository, type Repository } from '../git.ts';
import { objectsFolderOf, tempFolderOf } from '../lfs-storage.ts';
import type { Oid } from '../oid.ts';
import { openEndpoint, surroundings } from '../open-store.ts';
import { type CaughtUp, catchUp } from '../places/catch-up.ts';
import { type Delivery, deliver } from '../places/deliver.ts';
import { type Everything, everythingIn } from '../places/everything.ts';
import { inPlaces } from '../places/objects.ts';
import { offlineMode } from '../places/offline.ts';
import { type Places, placesOf } from '../places/places.ts';
import { type Spool, spoolsIn } from '../places/spool.ts';
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

  const spools = await spoolsIn(repository.commonDir);
  const places = await placesHere(context, spools.length > 0);
  if (spools.length === 0) tell('Nothing waits on this computer.');
  const deliveries: Delivered[] = [];
  for (const spool of spools) deliveries.push(await deliverOne(spool, places, context));
  const caughtUp = places && places.mirrors.length > 0 ? await catchUpAll(places, all, context) : undefined;
  const refused = places?.refused ?? [];
  for (const { text, error } of refused) tellTrouble(`The mirror ${printable(text)} is not used`, error, tell);
  if (all && places && places.mirrors.length + refused.length === 0) {
    tell('There is no mirror to bring anything to: lfs-depot mirror add <location> makes one.');
  }
  if (offlineMode(config) === 'on') {
    tell('Offline mode is still on: pushes stay on this computer until `lfs-depot offline off`.');
  }
  if (json) print(JSON.stringify(forPrograms(deliveries, caughtUp, refused), null, 2));
  return (
    deliveries.every(({ error, result }) => !error && result?.failed.length === 0 && result.untried === 0) &&
    (caughtUp?.places ?? []).every(({ trouble, failed }) => !trouble && failed.length === 0) &&
    (caughtUp?.nowhere.length ?? 0) === 0 &&
    (caughtUp?.unlisted.length ?? 0) === 0 &&
    refused.length === 0
  );
}

interface Context {
  repository: Repository;
  config: Config;
  signal: AbortSignal;
  tell: Print;
  meter: Meter;
}

/** @param elsewhere what waits may belong to another place: then it is no error that this repository names none. */
async function placesHere({ config, repository }: Context, elsewhere: boolean): Promise<Places | undefined> {
  try {
    const none = { argument: undefined, environment: undefined };
    const endpoint = findEndpoint({ operation: 'upload', remote: '', config, ...none });
    return placesOf(endpoint, config, repository.worktree ?? process.cwd());
  } catch (error) {
    if (!elsewhere || !isKind(error, 'configuration')) throw error;
    return undefined;
  }
}

interface Delivered {
  spool: Spool;
  result?: Delivery;
  /** Its place could not even be opened. */
  error?: DepotError;
}

async function deliverOne(spool: Spool, places: Places | undefined, context: Context): Promise<Delivered> {
  const { tell, signal, meter } = context;
  const to = printable(spool.location);
  const isHere = places?.primary.name === spool.location;
  let done = 0;
  const onDelivered = (): void => meter.tell(`Delivering to ${to}`, ++done);
  try {
    const objects = isHere ? inPlaces(places, (_, text) => tell(text)) : await objectsAt(spool, context);
    const result = await deliver(spool, objects, { signal, onDelivered }).finally(meter.clear);
    tellDelivery(to, result, tell);
    // With a mirror, they are caught up with in a moment.
    if (!isHere && places?.mirrors.length === 0 && result.delivered + result.present > 0) {
      tell(`    This repository keeps its objects in ${places.primary.name} now. To have them there too:`);
      tell('    → git lfs push --all origin');
    }
    return { spool, result };
  } catch (error) {
    if (!(error instanceof DepotError) || error.kind === 'cancelled') throw error;
    tellTrouble(`What waits here for ${to} stays here`, error, tell);
    return { spool, error };
  }
}

/** A place that this repository does not name, or no longer. */
async function objectsAt({ location: text }: Spool, { config }: Context): Promise<Objects> {
  const location = parseLocation(text, surroundings());
  assertTrusted(location, 'what waits on this computer', config, surroundings());
  return (await openEndpoint('either', location, config)).store;
}

interface CaughtUpAll {
  /** How many objects there should be. */
  count: number;
  places: CaughtUp[];
  nowhere: Oid[];
  unlisted: Everything['unlisted'];
}

async function catchUpAll(places: Places, all: boolean, context: Context): Promise<CaughtUpAll> {
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

function forPrograms(deliveries: Delivered[], caughtUp: CaughtUpAll | undefined, refused: Places['refused']) {
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
  };
}

import { DepotError, isKind, printable } from '../../backends/errors.ts';
import { parseLocation } from '../../backends/location.ts';
import { type Config, readConfig } from '../config.ts';
import { findEndpoint } from '../endpoint.ts';
import { findRepository, type Repository } from '../git.ts';
import { objectsFolderOf, tempFolderOf } from '../lfs-storage.ts';
import { openEndpoint, surroundings } from '../open-store.ts';
import { amountOf } from '../places/amount.ts';
import { type CaughtUp, catchUp, objectsIn } from '../places/catch-up.ts';
import { type Delivery, deliver } from '../places/deliver.ts';
import { inPlaces } from '../places/objects.ts';
import { offlineMode } from '../places/offline.ts';
import { type Places, placesOf } from '../places/places.ts';
import { type Spool, spoolsIn } from '../places/spool.ts';
import type { Objects } from '../store.ts';
import { assertTrusted } from '../trust.ts';
import { type Meter, meterOn } from './meter.ts';

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
export async function sync({ all, json }: SyncOptions, print: Print): Promise<boolean> {
  const cwd = process.cwd();
  const repository = await findRepository(cwd);
  const config = await readConfig(cwd, repository);
  const stop = stopOnInterrupt();
  const tell: Print = json ? () => {} : print;
  const meter = meterOn(process.stderr, json);
  const context: Context = { repository, config, signal: stop, tell, meter };

  const spools = await spoolsIn(repository.commonDir);
  const places = await placesHere(context, spools.length > 0);
  const deliveries: Delivered[] = [];
  for (const spool of spools) deliveries.push(await deliverOne(spool, places, context));
  const caughtUp = places && places.mirrors.length > 0 ? await catchUpAll(places, all, context) : undefined;

  if (json) print(JSON.stringify(forPrograms(deliveries, caughtUp), null, 2));
  if (spools.length === 0) tell('Nothing waits on this computer.');
  if (places && places.mirrors.length === 0) {
    if (all) tell('There is no mirror to bring anything to: lfs-depot mirror add <location> makes one.');
  }
  for (const { text, error } of places?.refused ?? []) tellTrouble(`The mirror ${text} is not used`, error, tell);
  if (offlineMode(config) === 'on')
    tell('Offline mode is still on: pushes stay on this computer until `lfs-depot offline off`.');
  const isDone =
    deliveries.every(({ error, result }) => !error && result?.failed.length === 0 && result.untried === 0) &&
    (caughtUp?.places ?? []).every(({ trouble, failed }) => !trouble && failed.length === 0) &&
    (caughtUp?.nowhere.length ?? 0) === 0 &&
    (places?.refused.length ?? 0) === 0;
  return isDone;
}

interface Context {
  repository: Repository;
  config: Config;
  signal: AbortSignal;
  tell: Print;
  meter: Meter;
}

/** Ctrl-C leaves no temp files behind; the second one ends at once. */
function stopOnInterrupt(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  return stop.signal;
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
  let done = 0;
  const onDelivered = (): void => meter.tell(`Delivering to ${to}`, ++done);
  try {
    const objects =
      places?.primary.name === spool.location
        ? inPlaces(places, (_, text) => tell(text))
        : await objectsAt(spool, context);
    const result = await deliver(spool, objects, { signal, onDelivered }).finally(meter.clear);
    const { delivered, bytes, present, failed, untried } = result;
    tell(`Delivered to ${to}: ${amountOf(delivered, bytes)}${present > 0 ? `; ${present} were there already` : ''}.`);
    if (failed.length + untried > 0) tell(`Still waiting here: ${failed.length + untried}.`);
    for (const { error } of failed.slice(0, SHOWN)) tellTrouble('', error, tell);
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

async function catchUpAll(places: Places, all: boolean, { repository, config, signal, tell, meter }: Context) {
  const everywhere = [places.primary, ...places.mirrors];
  const objects = all ? await objectsThere(places, signal) : await objectsOfHistory();
  let done = 0;
  const result = await catchUp(objects, everywhere, {
    objectsFolder: objectsFolderOf(repository, config),
    tempFolder: tempFolderOf(repository, config),
    signal,
    onObject: () => meter.tell('Comparing places', ++done, objects.length),
  }).finally(meter.clear);
  for (const caughtUp of result.places) tellPlace(caughtUp, objects.length - result.nowhere.length, tell);
  if (result.nowhere.length > 0) {
    tell(`In no place that answers, nor here: ${result.nowhere.length}: ${result.nowhere.slice(0, SHOWN).join(', ')}`);
    tell('    → whoever has them runs: git lfs push --all origin (lfs-depot status names the files)');
  }
  return result;
}

/** What the places that answer hold; the others are told of when they are compared. */
async function objectsThere({ primary, mirrors }: Places, signal: AbortSignal) {
  const opening = await Promise.allSettled([primary, ...mirrors].map((place) => place.open()));
  const stores = opening.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  return objectsIn(stores, signal);
}

async function objectsOfHistory() {
  const [{ pointersIn }, { revisionsOf }] = await Promise.all([
    import('../pointers.ts'),
    import('../status/revisions.ts'),
  ]);
  const cwd = process.cwd();
  const { commits } = await revisionsOf(cwd, [], true);
  return [...(await pointersIn(cwd, commits)).objects.values()];
}

/** Of long lists. */
const SHOWN = 10;

/** @param known how many objects are somewhere. */
function tellPlace({ place, brought, bytes, failed, trouble }: CaughtUp, known: number, tell: Print): void {
  const role = place.role === 'primary' ? 'Store' : 'Mirror';
  if (trouble) {
    tellTrouble(`${role} ${place.name} was left out`, trouble, tell);
    return;
  }
  const got = brought === 0 ? 'got nothing new' : `got ${amountOf(brought, bytes)}`;
  tell(`${role} ${place.name}: ${got}; has ${known - failed.length} of ${known} objects.`);
  for (const { error } of failed.slice(0, SHOWN)) tellTrouble('', error, tell);
}

function tellTrouble(what: string, { message, cure }: DepotError, tell: Print): void {
  tell(what === '' ? `✗ ${message}` : `✗ ${what}: ${message}`);
  if (cure !== '') tell(`    → ${cure.replaceAll('\n', '\n      ')}`);
}

function forPrograms(deliveries: Delivered[], caughtUp: Awaited<ReturnType<typeof catchUp>> | undefined) {
  const failures = (failed: { oid: string; error: DepotError }[]) =>
    failed.map(({ oid, error }) => ({ oid, error: error.message }));
  return {
    deliveries: deliveries.map(({ spool, result, error }) => ({
      location: spool.location,
      ...(result && { ...result, failed: failures(result.failed) }),
      ...(error && { error: error.message }),
    })),
    places: caughtUp?.places.map(({ place, brought, bytes, failed, trouble }) => ({
      location: place.name,
      role: place.role,
      brought,
      bytes,
      failed: failures(failed),
      ...(trouble && { error: trouble.message }),
    })),
    nowhere: caughtUp?.nowhere ?? [],
  };
}
